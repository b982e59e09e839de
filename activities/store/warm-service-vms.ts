/** Warm instances: rows of Service VMs that were started ahead of time and wait, paused, until somebody claims them. */
import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { StartRung } from '../../workflows/contract/service-vm.ts';
import type { Service } from './entities/service.ts';
import { ServiceVm } from './entities/service-vm.ts';
import { appendEvent } from './events.ts';
import { freshForMs, overheadMib } from './hosts.ts';
import { createOperation } from './operations.ts';
import { lockServiceVm, moveTo } from './service-vms.ts';
import type { Store } from './store.ts';

/** What tells a warm instance that nobody must claim any more: its service is not what it was when the instance was begun. */
export const isStale = `(vm.image_id is distinct from s.image_id or vm.spec - 'poolSize' <> s.spec - 'poolSize' or s.trashed_by is not null)`;

/** Says that an instance waits to be claimed, unless somebody was given its memory meanwhile. Repeating it changes nothing. */
export async function publishWarm(
  store: Store,
  warm: { serviceVmId: string; rung: StartRung; bootId: string },
): Promise<'waits' | 'retired'> {
  return store.transaction(async (em) => {
    const serviceVm = await lockServiceVm(em, warm.serviceVmId);
    if (serviceVm.state === 'warm' && serviceVm.bootId === warm.bootId) return 'waits';
    if (serviceVm.endReason === 'retired') return 'retired';
    moveTo(serviceVm, 'warm');
    const host = await serviceVm.host?.loadOrFail();
    Object.assign(serviceVm, { rung: warm.rung, bootId: warm.bootId, hostBootId: host?.bootId ?? null, readyAt: new Date() });
    appendEvent(em, { type: 'service-vm.warm', subject: serviceVm.id, audience: 'owner', data: { rung: warm.rung } });
    return 'waits';
  });
}

/**
 * Makes a warm instance of a service that of a user, inside the caller's transaction: the one that waits longest, on a
 * host that is up. One that somebody else is about to claim or to end is passed over, so no instance is claimed twice.
 * @returns the row, `requested` again until its workflow takes that up; undefined where none waits
 */
export async function claimWarm(
  em: EntityManager,
  service: Service,
  { holder, shared, nowMs }: { holder: string; shared: boolean; nowMs: number },
): Promise<ServiceVm | undefined> {
  const [row] = await em.execute<object[]>(
    `select vm.* from service_vms vm join services s on s.id = vm.service_id join hosts h on h.id = vm.host_id
     where vm.service_id = ? and vm.state = 'warm' and not ${isStale} and h.hypervisor_problem is null and h.heartbeat_at_ms > ?::bigint
     order by vm.ready_at limit 1 for update of vm skip locked`,
    [service.id, nowMs - freshForMs],
  );
  if (!row) return undefined;
  const serviceVm = em.map(ServiceVm, row);
  const operation = createOperation(em, {
    kind: 'service-vm.start',
    workflowId: serviceVm.workflowId,
    subject: serviceVm.id,
    principal: holder,
  });
  moveTo(serviceVm, 'requested');
  Object.assign(serviceVm, {
    purpose: 'serve',
    shared,
    startOperationId: operation.id,
    rung: null,
    readyAt: null,
    requestedAt: new Date(),
  });
  return serviceVm;
}

/** Says that the workflow of a claimed instance has heard of it. */
export async function takeUpClaim(store: Store, serviceVmId: string): Promise<void> {
  await store
    .fork()
    .execute(`update service_vms set state = 'provisioning', version = version + 1 where id = ? and state = 'requested'`, [serviceVmId]);
}

/** By then whoever claimed an instance has told its workflow, if it lives. */
const toldWithin = '1 second';

/** Claims of a host that their workflow may not have heard of: whoever made them may have died of it. */
export async function claimsToTell(store: Store, hostId: string): Promise<{ serviceVmId: string; operationId: string }[]> {
  const rows = await store.fork().execute<{ id: string; start_operation_id: string }[]>(
    `select id, start_operation_id from service_vms where host_id = ? and state = 'requested' and purpose = 'serve'
         and requested_at < now() - interval '${toldWithin}'`,
    [hostId],
  );
  return rows.map((row) => ({ serviceVmId: row.id, operationId: row.start_operation_id }));
}

/** Warm instances of a host that were retired and have not ended yet. */
export async function retiringWarm(store: Store, hostId: string): Promise<string[]> {
  const rows = await store
    .fork()
    .execute<{ id: string }[]>(`select id from service_vms where host_id = ? and state = 'stopping' and purpose = 'warm'`, [hostId]);
  return rows.map(({ id }) => id);
}

/** Which of these instances have not ended yet. */
export async function unended(store: Store, serviceVmIds: readonly string[]): Promise<string[]> {
  const rows = await store
    .fork()
    .execute<{ id: string }[]>(`select id from service_vms where id = any(?::uuid[]) and state not in ('stopped', 'failed')`, [
      `{${serviceVmIds.join(',')}}`,
    ]);
  return rows.map(({ id }) => id);
}

/** From now on nobody can claim them; they end once their workflow is told. They hold no memory in the books any more. */
export async function retire(em: EntityManager, serviceVms: readonly ServiceVm[]): Promise<void> {
  for (const serviceVm of serviceVms) {
    moveTo(serviceVm, 'stopping');
    Object.assign(serviceVm, { endReason: 'retired', memoryMib: 0, vcpus: 0 });
  }
  await em.flush();
}

const givenBack = (host: string) => ({
  where: { host, purpose: 'warm', state: { $in: ['requested', 'provisioning', 'warm'] }, memoryMib: { $gt: 0 } } as const,
  orderBy: [{ state: 'asc' }, { requestedAt: 'asc' }] as const,
});

/** Warm instances of a host, those first that are given back first: to look at, since somebody may claim them any moment. */
export function givenBackFirst(em: EntityManager, hostId: string): Promise<ServiceVm[]> {
  const { where, orderBy } = givenBack(hostId);
  return em.find(ServiceVm, where, { orderBy: [...orderBy], disableIdentityMap: true });
}

/** The same, locked until the transaction ends. What others are busy with is left out. */
export function lockGivenBackFirst(em: EntityManager, hostId: string): Promise<ServiceVm[]> {
  const { where, orderBy } = givenBack(hostId);
  return em.find(ServiceVm, where, { orderBy: [...orderBy], lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE });
}

/** What ending these would free. */
export const heldMib = (serviceVms: readonly Pick<ServiceVm, 'memoryMib'>[]): number =>
  serviceVms.reduce((sum, { memoryMib }) => sum + memoryMib + overheadMib, 0);

/** Warm instances by service, those on their way included. */
export async function countWarm(store: Store): Promise<{ serviceId: string; state: string; count: number }[]> {
  const rows = await store.fork().execute<{ service_id: string; state: string; count: string }[]>(
    `select s.service_id, vm.state, count(*) as count from service_vms vm join services s on s.id = vm.service_id
     where vm.purpose = 'warm' and vm.state in ('requested', 'provisioning', 'warm', 'stopping') group by s.service_id, vm.state`,
  );
  return rows.map((row) => ({ serviceId: row.service_id, state: row.state, count: Number(row.count) }));
}
