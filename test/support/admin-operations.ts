/** The operations of an admin, as faults and cancellations are tried on them: each on real parts, and small. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { bundlePath, hostPaths } from '../../activities/images/host-paths.ts';
import { uploadFile } from '../../temporal/cli/upload-file.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { OperationBody, ServiceEditBody, ServiceView } from '../../workflows/contract/http.ts';
import { bytesPerMib } from '../../workflows/contract/units.ts';
import { ResumingClient } from './resuming-client.ts';
import { echoDisk } from './echo-disk.ts';
import { echoService } from './echo-service.ts';
import { eventually } from './eventually.ts';
import type { TestCloudlet } from './test-cloudlet.ts';

/** Longer than the slowest way back from any fault, on a busy machine. */
const endsWithinMs = 150_000;

/** What operations are tried on. */
export class Workbench {
  readonly cloudlet: TestCloudlet;
  /** A service with a saved state, which all may use. */
  readonly echo: string;
  /** Its disk and its bundle in the import folder. */
  readonly disk = 'bench.qcow2';
  readonly bundle = 'bench.csvm';

  private constructor(cloudlet: TestCloudlet, echo: string) {
    this.cloudlet = cloudlet;
    this.echo = echo;
  }

  static async open(cloudlet: TestCloudlet, echo: string): Promise<Workbench> {
    const bench = new Workbench(cloudlet, echo);
    const { importDir } = cloudlet.parts.config;
    await mkdir(importDir, { recursive: true });
    await copyFile(await echoDisk(), join(importDir, bench.disk));
    const bundleId = await bench.export();
    await copyFile(bundlePath(hostPaths(cloudlet.parts.dataDir.root), bundleId), join(importDir, bench.bundle));
    await cloudlet.admin.request('DELETE', `/v1/bundles/${bundleId}`);
    return bench;
  }

  /** As a person does who is told to ask again, or whose connection broke; the same key is the same request. */
  ask<Answer = unknown>(method: string, path: string, body?: object, key: string = randomUUID()): Promise<Answer> {
    return patiently(() => this.cloudlet.admin.request<Answer>(method, path, body, method === 'GET' ? {} : { 'idempotency-key': key }));
  }

  operation(id: string): Promise<OperationBody> {
    return this.ask('GET', `/v1/operations/${id}`);
  }

  /** Waits until an operation has ended. @param look called as often as it is looked at */
  async ended(id: string, look: (operation: OperationBody) => Promise<unknown> = async () => undefined): Promise<OperationBody> {
    return eventually(async () => {
      const operation = await this.operation(id);
      if (operation.state !== 'running') return operation;
      await look(operation);
      throw new Error(`${operation.kind} still runs: ${JSON.stringify([operation.progress, operation.attempts])}`);
    }, endsWithinMs);
  }

  async service(serviceId: string): Promise<ServiceView | undefined> {
    return this.ask<ServiceView>('GET', `/v1/services/${serviceId}`).catch(undefinedIfMissing);
  }

  /** Removes a service for good, if it is there. */
  async purge(serviceId: string): Promise<void> {
    await this.ask('DELETE', `/v1/services/${serviceId}?purge=true&stop=true`).catch(undefinedIfMissing);
    await eventually(async () => {
      if (await this.service(serviceId)) throw new Error(`The service ${serviceId} is not gone`);
    }, endsWithinMs);
  }

  /** A service of the same disk, without a state. */
  async copyOfEcho(): Promise<string> {
    const serviceId = `copy.${randomUUID()}`;
    const source = { kind: 'service', serviceId: this.echo } as const;
    await this.succeed(this.ask('POST', '/v1/services', echoService('', { serviceId, source, save: false })));
    return serviceId;
  }

  async export(): Promise<string> {
    const { result } = await this.succeed(this.ask('POST', '/v1/bundles', { serviceId: this.echo }));
    return String(result!['bundleId']);
  }

  async succeed(begun: Promise<unknown>): Promise<OperationBody> {
    const { operationId } = (await begun) as { operationId: string };
    const operation = await this.ended(operationId);
    if (operation.state !== 'succeeded') throw new Error(`${operation.kind} did not succeed: ${JSON.stringify(operation.problem)}`);
    return operation;
  }
}

/** An operation that can be begun. */
export interface PreparedOperation {
  /** @param key the same key is the same request @returns the operation */
  readonly begin: (key: string) => Promise<string>;
  /** What whoever waits for it does meanwhile. */
  readonly look?: (operation: OperationBody) => Promise<unknown>;
  /** Asserts what its outcome promises. */
  readonly verify: (ended: OperationBody) => Promise<void>;
  /** Removes what it made and what was prepared for it. */
  readonly takeBack: () => Promise<void>;
}

export interface AdminOperation {
  readonly name: string;
  /** What its progress says, in this order. */
  readonly phases: readonly string[];
  readonly prepare: (bench: Workbench) => Promise<PreparedOperation>;
}

/** @returns the operation that an answer names */
export const begun = async (asked: Promise<{ operationId: string }>): Promise<string> => (await asked).operationId;
export const succeeded = ({ state }: OperationBody): boolean => state === 'succeeded';

const build: AdminOperation = {
  name: 'build',
  phases: ['prepare', 'reserve', 'clone', 'cold-boot', 'probe', 'warm-up', 'save', 'publish'],
  prepare: async (bench) => {
    const body = echoService(bench.disk, { serviceId: `build.${randomUUID()}` });
    return {
      begin: (key) => begun(bench.ask('POST', '/v1/services', body, key)),
      verify: async (ended) => {
        const service = await bench.service(body.serviceId);
        expect(service?.startsBy.includes('restore')).toBe(succeeded(ended) ? true : undefined);
      },
      takeBack: () => bench.purge(body.serviceId),
    };
  },
};

/** What an admin did in an editing VM is kept, unless the admin throws it away. */
const save: AdminOperation = {
  name: 'save',
  phases: ['save', 'publish'],
  prepare: async (bench) => {
    const serviceId = await bench.copyOfEcho();
    const path = `/v1/services/${serviceId}/edit`;
    const operationId = await begun(bench.ask('POST', path));
    await eventually(async () => expect(await bench.ask<ServiceEditBody>('GET', path)).toMatchObject({ state: 'ready' }), endsWithinMs);
    const isWaiting = async () => {
      const { state, progress } = await bench.operation(operationId);
      return state === 'running' && progress?.phase === 'edit';
    };
    /** Until it is being done. What could not be saved is asked for again. */
    const askToSave = () =>
      eventually(async () => {
        if (await isWaiting()) await bench.cloudlet.admin.request('POST', `${path}/save`);
      }, endsWithinMs);
    return {
      begin: async () => {
        await askToSave();
        return operationId;
      },
      look: ({ progress }) => (progress?.phase === 'edit' ? askToSave() : Promise.resolve()),
      verify: async (ended) => expect((await bench.service(serviceId))?.imageVersion).toBe(succeeded(ended) ? 2 : 1),
      takeBack: () => bench.purge(serviceId),
    };
  },
};

const importBundle: AdminOperation = {
  name: 'import',
  phases: ['unpack', 'publish'],
  prepare: async (bench) => {
    const body = { source: { kind: 'file', file: bench.bundle }, serviceId: `import.${randomUUID()}` };
    return {
      begin: (key) => begun(bench.ask('POST', '/v1/bundles/imports', body, key)),
      verify: async (ended) => {
        const service = await bench.service(body.serviceId);
        expect(service?.startsBy.includes('restore')).toBe(succeeded(ended) ? true : undefined);
      },
      takeBack: () => bench.purge(body.serviceId),
    };
  },
};

const exportService: AdminOperation = {
  name: 'export',
  phases: ['write', 'publish'],
  prepare: async (bench) => {
    let path: string | undefined;
    return {
      begin: (key) => begun(bench.ask('POST', '/v1/bundles', { serviceId: bench.echo }, key)),
      verify: async ({ result }) => {
        if (!result) return;
        path = `/v1/bundles/${String(result['bundleId'])}`;
        const { sha256 } = await bench.ask<{ sha256: string }>('GET', path);
        expect(await sha256Of(bench.cloudlet.admin.download(`${path}/file`, 0))).toBe(sha256);
      },
      takeBack: async () => {
        if (path) await bench.ask('DELETE', path);
      },
    };
  },
};

const appBytes = 32 * bytesPerMib;

/** With the upload of its file, of which nothing is sent again: neither when that is interrupted, nor when the install fails. */
const install: AdminOperation = {
  name: 'install',
  phases: ['prepare', 'publish'],
  prepare: async (bench) => {
    const file = join(bench.cloudlet.parts.dataDir.root, `${randomUUID()}.bin`);
    const bytes = randomBytes(appBytes);
    await writeFile(file, bytes);
    const client = new ResumingClient(bench.cloudlet.parts.config);
    let made = '';
    return {
      begin: async (key) => {
        const uploadId = await patiently(() => uploadFile(client, file, { json: true }));
        made = `/v1/uploads/${uploadId}`;
        return begun(bench.ask('POST', '/v1/apps', { uploadId, name: uploadId }, key));
      },
      verify: async ({ result }) => {
        if (!result) return expect(await bench.ask('GET', made)).toMatchObject({ state: 'complete' });
        made = `/v1/apps/${String(result['appId'])}`;
        const got = await sha256Of(bench.cloudlet.admin.download(`${made}/file`, 0));
        expect(got).toBe(createHash('sha256').update(bytes).digest('hex'));
      },
      takeBack: async () => {
        await bench.ask('DELETE', made);
        await rm(file);
      },
    };
  },
};

/** A service with an instance that somebody uses. */
const remove: AdminOperation = {
  name: 'delete',
  phases: ['trash', 'stop', 'record'],
  prepare: async (bench) => {
    const serviceId = `delete.${randomUUID()}`;
    const source = { kind: 'file', file: bench.bundle };
    await bench.succeed(bench.ask('POST', '/v1/bundles/imports', { source, serviceId }));
    await patiently(() => bench.cloudlet.phone().start(serviceId));
    return {
      begin: async (key) => {
        await bench.ask('DELETE', `/v1/services/${serviceId}?purge=true&stop=true`, undefined, key);
        const { operations } = await bench.ask<{ operations: OperationBody[] }>('GET', '/v1/operations?kind=service.remove');
        return operations.find(({ subject }) => subject === serviceId)!.id;
      },
      verify: async (ended) => expect((await bench.service(serviceId)) === undefined).toBe(succeeded(ended)),
      takeBack: () => bench.purge(serviceId),
    };
  },
};

/** A start by a client that has the instance to itself. */
export const start: AdminOperation = {
  name: 'start',
  phases: ['reserve', 'clone', 'restore', 'publish'],
  prepare: async (bench) => ({
    begin: (key) => begun(bench.ask('POST', '/v1/service-vms', { serviceId: bench.echo, join: false }, key)),
    verify: async () => undefined,
    takeBack: () => bench.cloudlet.stopAll(),
  }),
};

export const adminOperations: readonly AdminOperation[] = [build, save, importBundle, exportService, install, remove];

/** Tries until it works or is refused for good. */
const patiently = <T>(work: () => Promise<T>): Promise<T> =>
  eventually(
    () =>
      work().then(
        (answer) => ({ answer }),
        (error: unknown) => ({ refused: refusalOrThrow(error) }),
      ),
    endsWithinMs,
  ).then((outcome) => {
    if ('refused' in outcome) throw outcome.refused;
    return outcome.answer;
  });

function refusalOrThrow(error: unknown): CloudletError {
  if (error instanceof CloudletError && !error.kind.retryable && error.code !== 'internal') return error;
  throw error;
}

function undefinedIfMissing(error: unknown): undefined {
  if (!(error instanceof CloudletError && error.code === 'not-found')) throw error;
}

async function sha256Of(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}
