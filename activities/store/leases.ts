import { randomUUID } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { msPerSecond } from '../../workflows/contract/units.ts';
import { Lease } from './entities/lease.ts';
import type { Store } from './store.ts';

export type LeaseDialect = 'v1' | 'pycloud';

export interface HeldLease {
  readonly leaseId: string;
  readonly serviceVmId: string;
  readonly holder: string;
  readonly lengthMs: number;
}

/** Users of an instance: distinct holders of its leases. */
export async function countUsers(em: EntityManager, serviceVmId: string): Promise<number> {
  const [row] = await em.execute<{ users: string }[]>('select count(distinct holder) as users from leases where service_vm_id = ?', [
    serviceVmId,
  ]);
  return Number(row!.users);
}

/**
 * Gives a holder a lease, inside the caller's transaction. A stock phone has one lease on an instance however often it
 * asks; a `/v1` client gets a lease, and a token, for every start or join.
 */
export async function grantLease(
  em: EntityManager,
  lease: { serviceVmId: string; holder: string; dialect: LeaseDialect; leaseSeconds: number; nowMs: number },
): Promise<Lease> {
  const lengthMs = lease.leaseSeconds * msPerSecond;
  const { serviceVmId, holder, dialect } = lease;
  const held = dialect === 'pycloud' ? await em.findOne(Lease, { serviceVm: serviceVmId, holder, dialect }) : null;
  const granted =
    held ??
    em.create(Lease, { id: randomUUID(), serviceVm: serviceVmId, holder, dialect, lengthMs, expiresAtMs: 0, createdAt: new Date() });
  granted.expiresAtMs = lease.nowMs + lengthMs;
  granted.lengthMs = lengthMs;
  await em.flush();
  return granted;
}

/** @returns false when the lease is gone */
export async function renewLease(store: Store, leaseId: string): Promise<boolean> {
  const rows = await store
    .fork()
    .execute<unknown[]>('update leases set expires_at_ms = ?::bigint + length_ms where id = ? returning id', [
      store.clock.nowMs(),
      leaseId,
    ]);
  return rows.length > 0;
}

/** A stock phone renews whatever it holds of a service by asking for its messages. */
export async function renewHeld(store: Store, holder: string, serviceId: string | undefined): Promise<void> {
  await store.fork().execute(
    `update leases set expires_at_ms = ?::bigint + length_ms
     from service_vms vm join services s on s.id = vm.service_id
     where leases.service_vm_id = vm.id and leases.holder = ? and leases.dialect = 'pycloud' and (?::text is null or s.service_id = ?)`,
    [store.clock.nowMs(), holder, serviceId ?? null, serviceId ?? null],
  );
}

/** Ends one lease. @returns users left, or undefined when there was no such lease */
export async function endLease(store: Store, leaseId: string): Promise<{ serviceVmId: string; users: number } | undefined> {
  return store.transaction(async (em) => {
    const lease = await em.findOne(Lease, { id: leaseId });
    if (!lease) return undefined;
    const serviceVmId = lease.serviceVm.id;
    const left = await leave(em, serviceVmId, { id: leaseId });
    return left && { serviceVmId, ...left };
  });
}

/** Ends every lease of a holder on an instance. @returns users left, or undefined when there was none */
export async function endHeld(store: Store, serviceVmId: string, holder: string): Promise<{ users: number } | undefined> {
  return store.transaction((em) => leave(em, serviceVmId, { holder }));
}

/** Users of an instance leave it one after another, so that one of them is the last. */
async function leave(
  em: EntityManager,
  serviceVmId: string,
  which: { id: string } | { holder: string },
): Promise<{ users: number } | undefined> {
  await em.execute('select 1 from service_vms where id = ? for update', [serviceVmId]);
  const ended = await em.nativeDelete(Lease, { serviceVm: serviceVmId, ...which });
  return ended === 0 ? undefined : { users: await countUsers(em, serviceVmId) };
}

/** The lease behind a token. */
export async function findLease(store: Store, leaseId: string): Promise<HeldLease | undefined> {
  const lease = await store.fork().findOne(Lease, { id: leaseId });
  return lease ? { leaseId, serviceVmId: lease.serviceVm.id, holder: lease.holder, lengthMs: lease.lengthMs } : undefined;
}

/** Whether this holder uses the instance. */
export const holdsLease = async (store: Store, serviceVmId: string, holder: string): Promise<boolean> =>
  (await store.fork().count(Lease, { serviceVm: serviceVmId, holder })) > 0;

/** Traffic counts as use: stock phones and browsers never renew, but they talk. */
export async function extendUsed(store: Store, serviceVmIds: readonly string[]): Promise<void> {
  if (serviceVmIds.length === 0) return;
  await store
    .fork()
    .execute(
      `update leases set expires_at_ms = greatest(expires_at_ms, ?::bigint + length_ms) where dialect = 'pycloud' and service_vm_id = any(?::uuid[])`,
      [store.clock.nowMs(), `{${serviceVmIds.join(',')}}`],
    );
}

/** Ends the leases of an instance that saw no traffic for `idleMs`; a lease renewed since then shows that somebody is there. */
export async function endIdle(store: Store, serviceVmId: string, idleMs: number): Promise<void> {
  await store
    .fork()
    .execute('delete from leases where service_vm_id = ? and expires_at_ms - length_ms <= ?', [serviceVmId, store.clock.nowMs() - idleMs]);
}

/** A lease begins to run when its instance is ready: whoever waited for a boot has not used anything yet. */
export async function beginLeases(em: EntityManager, serviceVmId: string, nowMs: number): Promise<void> {
  await em.execute('update leases set expires_at_ms = ?::bigint + length_ms where service_vm_id = ?', [nowMs, serviceVmId]);
}

/**
 * Ends what ran out, and names the ready instances that nobody uses any more. A lease holds until this ends it: nobody
 * else looks at the time, so that all agree on who uses what.
 * @returns ids of instances whose workflow must be told
 */
export async function sweepLeases(store: Store): Promise<string[]> {
  return store.transaction(async (em) => {
    await em.execute(
      `delete from leases using service_vms vm where vm.id = leases.service_vm_id and vm.state = 'ready' and leases.expires_at_ms <= ?`,
      [store.clock.nowMs()],
    );
    const unused = await em.execute<{ id: string }[]>(
      `select vm.id from service_vms vm
       where vm.state = 'ready' and not exists (select 1 from leases where service_vm_id = vm.id)`,
    );
    return unused.map(({ id }) => id);
  });
}
