import type { EntityManager } from '@mikro-orm/postgresql';
import type { HostCapacity } from '../../workflows/contract/cloudlet.ts';
import { msPerSecond } from '../../workflows/contract/units.ts';
import { Host } from './entities/host.ts';
import type { Store } from './store.ts';

/** A host's worker writes its row this often, */
export const heartbeatIntervalMs = 2 * msPerSecond;
/** and a row older than this belongs to a host that is down. */
export const freshForMs = 4 * heartbeatIntervalMs;

/** What QEMU needs beside the guest's memory, as a rule of thumb. */
export const overheadMib = 48;

export const isFresh = (host: Pick<Host, 'heartbeatAtMs'>, nowMs: number): boolean => nowMs - host.heartbeatAtMs < freshForMs;

export type HostStatus = Omit<Host, 'id' | 'createdAt' | 'heartbeatAtMs'>;

/** Writes what a host's worker sees of its machine. */
export async function recordHost(store: Store, id: string, status: HostStatus): Promise<void> {
  const heartbeatAtMs = store.clock.nowMs();
  await store.fork().upsert(Host, { id, ...status, heartbeatAtMs, createdAt: new Date() }, { onConflictExcludeFields: ['createdAt'] });
}

/** Says that a host takes nothing from now on, so that nobody waits until its row is stale. */
export async function recordHostDown(store: Store, id: string): Promise<void> {
  await store.fork().nativeUpdate(Host, { id }, { heartbeatAtMs: store.clock.nowMs() - freshForMs });
}

export async function memoryReservedMib(em: EntityManager, hostId: string): Promise<number> {
  const [row] = await em.execute<{ mib: string }[]>(
    'select coalesce(sum(memory_mib + ?::int), 0) as mib from service_vms where host_id = ? and memory_mib > 0',
    [overheadMib, hostId],
  );
  return Number(row!.mib);
}

/** What a new instance may still take, QEMU's own share already taken off; below zero where more is held than there is. */
export async function memoryLeftMib(em: EntityManager, host: Host): Promise<number> {
  const budget = host.memoryMib - (await memoryReservedMib(em, host.id));
  return Math.min(budget, host.memoryAvailableMib) - overheadMib;
}

/** Memory of a host that warm instances hold, and give back when it is needed, MiB. */
async function memoryWarmMib(em: EntityManager, hostId: string): Promise<number> {
  const [row] = await em.execute<{ mib: string }[]>(
    `select coalesce(sum(memory_mib + ?::int), 0) as mib from service_vms
     where host_id = ? and purpose = 'warm' and memory_mib > 0 and state = any('{requested,provisioning,warm}')`,
    [overheadMib, hostId],
  );
  return Number(row!.mib);
}

export async function capacityOf(em: EntityManager, host: Host): Promise<HostCapacity> {
  return {
    vcpus: host.vcpus,
    memoryMib: host.memoryMib,
    memoryReservedMib: await memoryReservedMib(em, host.id),
    memoryFreeMib: Math.max(0, (await memoryLeftMib(em, host)) + (await memoryWarmMib(em, host.id))),
    diskBytes: host.diskBytes,
    diskFreeBytes: host.diskFreeBytes,
  };
}

export const listHosts = (store: Store): Promise<Host[]> => store.fork().find(Host, {}, { orderBy: { name: 'asc' } });
