/**
 * A whole cloudlet for a test run: the real local parts and our own processes, beside whatever else runs on this machine.
 * Everything ends with the process that started it, even when that is killed.
 */
import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { openStore, type Store } from '../../activities/store/store.ts';
import { forgetFilters } from '../../activities/network/egress.ts';
import { runTool } from '../../activities/run-tool.ts';
import { ApiClient } from '../../temporal/cli/api-client.ts';
import { connectTemporal } from '../../temporal/client/connect.ts';
import { ownParts } from '../../temporal/own-parts.ts';
import { pollUntil } from '../../temporal/supervisor/poll-until.ts';
import { readCommandLine, readProcessStat } from '../../temporal/supervisor/process-identity.ts';
import { lineReport } from '../../temporal/supervisor/report.ts';
import { startParts } from '../../temporal/supervisor/start-parts.ts';
import { expect } from 'vitest';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { NewService, ServiceVmBody } from '../../workflows/contract/http.ts';
import { addEchoService } from './echo-service.ts';
import { eventually } from './eventually.ts';
import { startTestParts, type TestParts, type TestPartsOptions } from './local-parts.ts';
import { Phone } from './phone.ts';

export type Killable = 'worker' | 'api' | 'postgres' | 'temporal' | 'libvirtd';

export interface TestCloudlet {
  /** `http://127.0.0.1:port` of the API. */
  readonly url: string;
  readonly parts: TestParts;
  /** Speaks `/v1` as the admin. */
  readonly admin: ApiClient;
  readonly adminToken: string;
  readonly store: Store;
  readonly temporal: Client;
  phone(deviceId?: string): Phone;
  /** Makes a service of the echo guest, with a saved state unless said otherwise. */
  addEchoService(service?: Partial<NewService>): Promise<string>;
  /** `kill -9`. It comes back by itself. */
  kill(name: Killable): void;
  pidOf(name: Killable): number;
  /** Waits until a start would be served again. */
  untilReady(): Promise<void>;
  /** Names of this cloudlet's domains that run. */
  domains(): Promise<string[]>;
  virsh(...args: string[]): Promise<string>;
  /** Ends every instance, and waits until nothing is held. */
  stopAll(): Promise<void>;
  /** What instances hold now: empty when all of them have retired without a trace. */
  held(): Promise<string[]>;
  stop(): Promise<void>;
}

export interface TestCloudletOptions extends Pick<TestPartsOptions, 'diskMib'> {
  /** Settings as in the environment. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly withAvahi?: boolean;
}

/** Starts it and waits until it is ready. */
export async function startTestCloudlet({
  environment = {},
  withAvahi = false,
  ...disks
}: TestCloudletOptions = {}): Promise<TestCloudlet> {
  const parts = await startTestParts({
    ...disks,
    parts: ['postgres', 'temporal', 'libvirt', ...(withAvahi ? (['avahi'] as const) : [])],
    environment: {
      CLOUDLET_API_PORT: '0',
      CLOUDLET_API_HOST: '127.0.0.1',
      CLOUDLET_MANAGER_PORT: '0',
      CLOUDLET_NETWORK_ADAPTER: 'lo',
      CLOUDLET_DOMAIN_PREFIX: `cloudlet-test-${process.pid}-`,
      CLOUDLET_GUEST_PORTS: guestPorts(),
      CLOUDLET_PLUGINS: 'security-open',
      CLOUDLET_LOG_LEVEL: 'warn',
      ...environment,
    },
  });
  const { config, dataDir } = parts;
  const never = new AbortController().signal;
  const own = await startParts({
    // The manager has tests of its own, which bring their own.
    parts: ownParts(config)
      .filter(({ name }) => name !== 'manager')
      .map(({ needs: _needs, ...part }) => part),
    facts: parts.facts,
    report: lineReport(() => undefined),
    logOf: dataDir.logOf,
    signal: never,
    urgent: never,
  }).catch(async (error: unknown) => {
    await parts.stop();
    throw error;
  });
  const store = await openStore({ databaseUrl: parts.facts.databaseUrl!, poolSize: 4 });
  const temporal = connectTemporal({ address: parts.facts.temporalAddress!, namespace: config.temporalNamespace });
  const admin = new ApiClient(config);
  const url = `http://127.0.0.1:${config.apiPort}`;
  const virsh = (...args: string[]) => runTool('virsh', ['-q', '-c', parts.facts.libvirtUri!, ...args]);
  const domains = async () => (await virsh('list', '--all', '--name')).split('\n').filter((name) => name.startsWith(config.domainPrefix));
  const untilReady = async () => {
    if (!(await pollUntil(() => admin.isReady(), { deadlineMs: 60_000 })))
      throw new Error('The cloudlet is not ready again after a minute');
  };
  const pidOf = (name: Killable) => (name === 'worker' || name === 'api' ? findOwnPid(name) : parts.pidOf(name));
  const held = async (): Promise<string[]> => {
    const [rows] = await store.fork().execute<{ ports: string; leases: string; reserved: string }[]>(
      `select (select count(*) from port_reservations) as ports, (select count(*) from leases) as leases,
                (select count(*) from service_vms where memory_mib > 0) as reserved`,
    );
    const { ports, leases, reserved } = rows!;
    const folder = async (name: string) => (await readdir(join(dataDir.root, name)).catch(() => [])).map((entry) => `${name}/${entry}`);
    return [
      ...(await domains()),
      ...(await folder('instances')),
      ...(await folder('images/incoming')),
      ...Object.entries({ ports, leases, reserved }).flatMap(([what, count]) => (count === '0' ? [] : [`${count} ${what}`])),
    ];
  };
  const stopAll = async () => {
    const { serviceVms } = await admin.request<{ serviceVms: ServiceVmBody[] }>('GET', '/v1/service-vms');
    const ended = (error: unknown) => {
      if (!(error instanceof CloudletError && error.code === 'state-conflict')) throw error;
    };
    for (const { id } of serviceVms)
      await admin.request('POST', `/v1/service-vms/${id}/stop`, undefined, { prefer: 'wait=20' }).catch(ended);
    await eventually(async () => expect(await held()).toEqual([]), 30_000);
  };
  await untilReady();

  return {
    url,
    parts,
    admin,
    adminToken: (await readFile(join(dataDir.root, 'admin.token'), 'utf8')).trim(),
    store,
    temporal,
    phone: (deviceId = `phone-${randomUUID().slice(0, 8)}`) => new Phone(url, deviceId),
    addEchoService: (service) => addEchoService(admin, config.importDir, service),
    kill: (name) => void process.kill(pidOf(name), 'SIGKILL'),
    pidOf,
    untilReady,
    domains,
    virsh,
    held,
    stopAll,
    async stop() {
      await store.close();
      await temporal.connection.close();
      await own.stop(never);
      await parts.stop();
      await forgetFilters(config.domainPrefix);
    },
  };
}

/** Several test runs at once must not reach for the same ports: each takes a hundred of its own. */
const guestPorts = (): string => {
  const first = 20_000 + (process.pid % 100) * 100;
  return `${first}-${first + 99}`;
};

/** A child of this very process that runs that part of `main.ts`. */
function findOwnPid(name: 'worker' | 'api'): number {
  const found = readdirSync('/proc')
    .map(Number)
    .find((pid) => readProcessStat(pid)?.parentPid === process.pid && readCommandLine(pid).endsWith(`main.ts ${name}`));
  if (found === undefined) throw new Error(`The ${name} does not run`);
  return found;
}
