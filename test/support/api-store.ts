/** The store over a real PostgreSQL, with hosts and services to try it on. */
import { randomUUID } from 'node:crypto';
import { admitStart, type Admission, type StartRequest } from '../../activities/store/admission.ts';
import { recordHost, type HostStatus } from '../../activities/store/hosts.ts';
import type { PoolOptions } from '../../activities/store/orm.ts';
import type { PortRange } from '../../activities/store/ports.ts';
import { reserve } from '../../activities/store/reservation.ts';
import { publishReady } from '../../activities/store/service-vms.ts';
import { openStore, type Store } from '../../activities/store/store.ts';
import { msPerHour } from '../../workflows/contract/units.ts';
import { startTestParts, type TestParts } from './local-parts.ts';
import { scriptedFingerprint } from './workflow-host.ts';
import { insertService, type TestService } from './workflow-services.ts';

export interface StoreLab {
  readonly parts: TestParts;
  readonly store: Store;
  readonly databaseUrl: string;
  /** A host with room for everything. */
  readonly hostId: string;
  /** As another process has it; closed with the lab. */
  anotherStore(pool?: PoolOptions): Promise<Store>;
  /** Writes what a host has, the one of the lab unless said otherwise. It stays fresh for an hour. */
  setHost(status: Partial<HostStatus>, hostId?: string): Promise<void>;
  addService(service?: TestService): Promise<string>;
  /** Asks for a service, as a new user unless said otherwise. */
  start(serviceId: string, request?: Partial<StartRequest>): Promise<Admission>;
  /** An instance that clients use. */
  startReady(serviceId: string, request?: Partial<StartRequest>): Promise<Admission>;
  close(): Promise<void>;
}

export const testPorts: PortRange = { first: 30_000, last: 30_999 };

const roomy: HostStatus = {
  name: 'test-host',
  bootId: 'test-boot',
  vcpus: 64,
  memoryMib: 1024 * 1024,
  memoryAvailableMib: 1024 * 1024,
  diskBytes: 2e12,
  diskFreeBytes: 1e12,
  fingerprint: scriptedFingerprint,
  hypervisorProblem: null,
  address: '192.0.2.10',
};

export async function openStoreLab(): Promise<StoreLab> {
  const parts = await startTestParts({ parts: ['postgres'] });
  const databaseUrl = parts.facts.databaseUrl!;
  const store = await openStore({ databaseUrl });
  const opened = [store];
  const hostId = randomUUID();
  const later: Store = { ...store, clock: { ...store.clock, nowMs: () => store.clock.nowMs() + msPerHour } };
  const setHost: StoreLab['setHost'] = (status, id = hostId) => recordHost(later, id, { ...roomy, ...status });
  const start: StoreLab['start'] = (serviceId, request = {}) =>
    admitStart(store, { serviceId, holder: `device:${randomUUID()}`, join: true, dialect: 'v1', ...request });
  await setHost({});
  return {
    parts,
    store,
    databaseUrl,
    hostId,
    setHost,
    start,
    addService: (service) => insertService(store, hostId, service),
    async anotherStore(pool = {}) {
      const another = await openStore({ databaseUrl, ...pool });
      opened.push(another);
      return another;
    },
    async startReady(serviceId, request) {
      const admission = await start(serviceId, request);
      if (admission.joined) return admission;
      await reserve(store, admission.serviceVmId, testPorts);
      await publishReady(store, { serviceVmId: admission.serviceVmId, rung: 'cold-boot', bootId: randomUUID() });
      return { ...admission, state: 'ready' };
    },
    async close() {
      await Promise.all(opened.map((each) => each.close()));
      await parts.stop();
    },
  };
}

/** A store whose clock a test moves. */
export function withClock(store: Store): { readonly store: Store; readonly advance: (ms: number) => void } {
  let aheadMs = 0;
  return {
    store: { ...store, clock: { ...store.clock, nowMs: () => store.clock.nowMs() + aheadMs } },
    advance: (ms) => void (aheadMs += ms),
  };
}

/** The first column of the only row. */
export async function ask<Value>(store: Store, sql: string, parameters: unknown[] = []): Promise<Value> {
  const [row] = await store.fork().execute<Record<string, Value>[]>(sql, parameters);
  return Object.values(row!)[0]!;
}
