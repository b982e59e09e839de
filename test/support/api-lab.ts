/**
 * The API at work: the real one over the real database, Temporal, workflows and security plugin, with a scripted host
 * below. It listens on loopback, for tests that need a socket; the others inject.
 */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { readOperationLog } from '../../activities/images/operation-log.ts';
import { buildApp, defaultLimits, type ApiLimits } from '../../api/app.ts';
import type { ApiContext } from '../../api/context.ts';
import { EventFeed } from '../../api/http/event-feed.ts';
import { cloudletIdentity } from '../../activities/store/cloudlet.ts';
import { bundlePath } from '../../activities/images/host-paths.ts';
import { AppFiles } from '../../activities/apps/app-files.ts';
import { UploadFiles } from '../../activities/uploads/upload-files.ts';
import { loadPlugins } from '../../plugins/runtime/load-plugins.ts';
import { createLog } from '../../temporal/log.ts';
import { bytesPerGib } from '../../workflows/contract/units.ts';
import { openApiContract } from './api-contract.ts';
import { activityOf, type Fault, type FaultPlans } from './workflow-faults.ts';
import { beatMs } from './workflow-host.ts';
import { openWorkflowLab, type WorkflowLab } from './workflow-lab.ts';
import { insertService, type TestService } from './workflow-services.ts';

export interface ApiLab extends Pick<WorkflowLab, 'parts' | 'paths' | 'client' | 'store' | 'host' | 'faults' | 'hostId' | 'signals'> {
  readonly context: ApiContext;
  readonly app: FastifyInstance;
  readonly port: number;
  /** Headers of the admin. */
  readonly asAdmin: { readonly authorization: string };
  addService(service?: TestService): Promise<string>;
  /** Requests as a client makes them, each answer held against the OpenAPI document. */
  ask(method: Method, url: string, request?: Request): Promise<Answer>;
  /** From now on guests that are started do not answer, until the returned function is called. */
  holdGuests(): () => void;
  /** Another API process on the same parts; the caller closes it. */
  anotherApp(limits?: Partial<ApiLimits>): Promise<FastifyInstance>;
  close(): Promise<void>;
}

export const consoleGreeting = 'login: ';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

export interface Request {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** Of a JSON answer. */
  readonly body: unknown;
}

export async function openApiLab(limits: Partial<ApiLimits> = {}): Promise<ApiLab> {
  const lab = await openWorkflowLab();
  const { parts, store, client } = lab;
  const log = createLog('test', 'silent');
  const feed = new EventFeed(store, parts.facts.databaseUrl!, log);
  feed.start();
  const context: ApiContext = {
    store,
    identity: await cloudletIdentity(store, 'cloudlet-test'),
    temporal: client,
    starter: lab.newStarter(),
    plugins: await loadPlugins({ configured: [{ name: 'security-open', required: true }], process: 'api', log }),
    bundles: { path: (bundleId) => bundlePath(lab.paths, bundleId), publicKey: async () => 'A'.repeat(43) },
    uploads: new UploadFiles({ store, paths: lab.paths, maximumBytes: bytesPerGib }),
    appFiles: new AppFiles(lab.paths),
    feed,
    adminToken: `cla_${randomUUID()}`,
    temporalUiUrl: parts.facts.temporalUiUrl,
    temporalNamespace: parts.config.temporalNamespace,
    version: '0.0.0-test',
    readSerialLog: async (serviceVmId) => (lab.host.boots.has(serviceVmId) ? `console of ${serviceVmId}` : undefined),
    openConsole: async () => echoingConsole(),
    readOperationLog: (operationId, fromByte) => readOperationLog(lab.paths, operationId, fromByte),
    log,
  };
  const anotherApp = (other: Partial<ApiLimits> = {}) => buildApp(context, { ...defaultLimits, ...other });
  const app = await anotherApp(limits);
  await app.listen({ host: '127.0.0.1', port: 0, listenTextResolver: () => '' });
  const violation = await openApiContract(app);
  return {
    ...lab,
    context,
    async ask(method, url, { headers = {}, body } = {}) {
      const answer = await app.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body as object }) });
      const broken = violation(method, url, answer);
      if (broken !== undefined) throw new Error(`${method} ${url} is not answered as the OpenAPI document says: ${broken}`);
      return { status: answer.statusCode, headers: answer.headers, text: answer.body, body: jsonOf(answer.body) };
    },
    holdGuests: () => holdGuests(lab.faults),
    app,
    port: (app.server.address() as AddressInfo).port,
    asAdmin: { authorization: `Bearer ${context.adminToken}` },
    addService: (service) => insertService(store, lab.hostId, service),
    anotherApp,
    async close() {
      await feed.close();
      await app.close();
      await context.plugins.stop();
      await lab.close();
    },
  };
}

/** Greets, and prints what is typed. */
function echoingConsole(): PassThrough {
  const console = new PassThrough();
  console.write(consoleGreeting);
  return console;
}

/** Undefined where it is none. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function holdGuests(plans: FaultPlans): () => void {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const held: Fault = async ({ context, work }) => {
    const beat = setInterval(() => context.heartbeat(), beatMs);
    await Promise.race([released, context.cancelled]).finally(() => clearInterval(beat));
    return work();
  };
  const planOf = plans.of.bind(plans);
  plans.of = (workflowId) => {
    const plan = planOf(workflowId);
    plan.onCall ??= (key) => (/^(awaitGuest|restoreGuest)$/.test(activityOf(key)) ? held : undefined);
    return plan;
  };
  return () => {
    plans.of = planOf;
    release();
  };
}
