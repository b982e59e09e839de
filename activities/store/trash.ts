import type { EntityManager } from '@mikro-orm/postgresql';
import type { RemovalInput, ServiceRecordActivities } from '../../workflows/contract/activities.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { removeServiceWorkflowId } from '../../workflows/contract/ids.ts';
import { liveServiceVmStates } from '../../workflows/contract/service-vm.ts';
import { Operation } from './entities/operation.ts';
import { Service } from './entities/service.ts';
import { ServiceVm } from './entities/service-vm.ts';
import { requireTag, type IfMatch } from './entity-tag.ts';
import { appendEvent } from './events.ts';
import { once, type Idempotency } from './idempotency.ts';
import { createOperation, recordFailure, settleOperation } from './operations.ts';
import { lockService, noService } from './services.ts';
import type { Store } from './store.ts';

export interface RemovalRequest extends Omit<RemovalInput, 'operationId'> {
  /** `principalName` of who asked. */
  readonly principal: string;
  readonly ifMatch: IfMatch;
  readonly idempotency?: Idempotency;
}

/**
 * Admits the removal of a service. One in the trash may be removed, too: for good.
 * @throws CloudletError `not-found`, `precondition-failed`, `operation-in-progress` while something else is done with
 *   it, `state-conflict` while clients use instances of it and they were not to be ended
 */
export async function admitRemoval(store: Store, request: RemovalRequest): Promise<{ operationId: string; repeated: boolean }> {
  const { serviceId, stop, purge, principal, ifMatch, idempotency } = request;
  return store.transaction(async (em) => {
    const { answer, repeated } = await once(em, principal, idempotency, async () => {
      const service = await lockService(em, serviceId);
      if (!service || (service.trashedBy && !purge)) throw noService(serviceId);
      requireTag(service, ifMatch);
      await refuseBusy(em, serviceId);
      if (!stop) await refuseUsed(em, service);
      const workflowId = removeServiceWorkflowId(serviceId);
      return { operationId: createOperation(em, { kind: 'service.remove', workflowId, subject: serviceId, principal }).id };
    });
    return { ...answer, repeated };
  });
}

async function refuseBusy(em: EntityManager, serviceId: string): Promise<void> {
  const running = await em.findOne(Operation, { subject: serviceId, state: 'running' });
  if (!running) return;
  throw new CloudletError(
    'operation-in-progress',
    `An operation works on "${serviceId}" (${running.kind}). Wait until it has ended, or cancel it.`,
    { operationId: running.id },
  );
}

async function refuseUsed(em: EntityManager, service: Service): Promise<void> {
  const used = await em.count(ServiceVm, { service: service.id, purpose: 'serve', state: { $in: [...liveServiceVmStates] } });
  if (used === 0) return;
  throw new CloudletError(
    'state-conflict',
    `Service VMs of "${service.serviceId}" run: ${used}. End them first (cloudlet vm stop), or have them ended with it: DELETE …?stop=true, cloudlet service remove --stop.`,
    { state: 'running' },
  );
}

/**
 * The database's side of `removeService`.
 * @param context.trashHoldMs how long a removed service can be brought back
 */
export const createTrashActivities = ({ store, trashHoldMs }: { store: Store; trashHoldMs: number }): ServiceRecordActivities => ({
  trashService: (removal) => trashService(store, removal, trashHoldMs),
  untrashService: (removal) => untrashService(store, removal),
  liveInstancesOf: ({ serviceId }) => liveInstancesOf(store, serviceId),
  recordRemoval: (removal) => recordRemoval(store, removal),
  recordFailure: ({ operationId, failure }) => recordFailure(store, operationId, failure),
});

async function trashService(store: Store, { serviceId, operationId, stop }: RemovalInput, holdMs: number): Promise<void> {
  await store.transaction(async (em) => {
    const service = await lockService(em, serviceId);
    if (!service) throw noService(serviceId);
    if (service.trashedBy) return;
    // Somebody may have started one since the removal was admitted.
    if (!stop) await refuseUsed(em, service);
    Object.assign(service, { trashedBy: operationId, trashedUntilMs: store.clock.nowMs() + holdMs });
  });
}

async function untrashService(store: Store, { serviceId, operationId }: RemovalInput): Promise<void> {
  await store.transaction(async (em) => {
    const service = await em.findOne(Service, { serviceId, trashedBy: operationId });
    if (service) Object.assign(service, { trashedBy: null, trashedUntilMs: null });
  });
}

async function liveInstancesOf(store: Store, serviceId: string): Promise<readonly { workflowId: string }[]> {
  const live = await store.fork().find(ServiceVm, { service: { serviceId }, state: { $in: [...liveServiceVmStates] } });
  return live.map(({ workflowId }) => ({ workflowId }));
}

async function recordRemoval(store: Store, { serviceId, operationId, purge }: RemovalInput): Promise<void> {
  await store.transaction(async (em) => {
    const service = await lockService(em, serviceId);
    if (service && purge) await deleteService(em, service);
    const ended = await settleOperation(em, operationId, { state: 'succeeded', result: { serviceId, purged: purge } });
    if (ended) appendEvent(em, { type: 'service.removed', subject: serviceId, audience: 'public' });
  });
}

/** Its rows; the files go when nothing refers to them any more. */
async function deleteService(em: EntityManager, service: Service): Promise<void> {
  // The record of ended instances goes with their service.
  await em.nativeDelete(ServiceVm, { service: service.id });
  await em.nativeUpdate(Service, { id: service.id }, { image: null });
  await em.nativeDelete(Service, { id: service.id });
}

/**
 * Brings a service back from the trash, as it was.
 * @throws CloudletError `not-found`, `precondition-failed`, `operation-in-progress` while it is just being removed
 */
export async function restoreService(store: Store, serviceId: string, ifMatch: IfMatch): Promise<void> {
  await store.transaction(async (em) => {
    const service = await lockService(em, serviceId);
    if (!service?.trashedBy) {
      throw new CloudletError(
        'not-found',
        `There is no service "${serviceId}" in the trash. cloudlet service list --trashed lists those there are.`,
      );
    }
    requireTag(service, ifMatch);
    await refuseBusy(em, serviceId);
    Object.assign(service, { trashedBy: null, trashedUntilMs: null });
    appendEvent(em, { type: 'service.restored', subject: serviceId, audience: 'public' });
  });
}

/** Deletes what has been in the trash for long enough. @returns how many services */
export async function emptyTrash(store: Store): Promise<number> {
  return store.transaction(async (em) => {
    const due = await em.find(Service, { trashedBy: { $ne: null }, trashedUntilMs: { $lte: store.clock.nowMs() } });
    let deleted = 0;
    for (const { serviceId } of due) {
      const service = await lockService(em, serviceId);
      if (!service?.trashedBy || (service.trashedUntilMs ?? 0) > store.clock.nowMs()) continue;
      const held = await em.count(ServiceVm, { service: service.id, state: { $in: [...liveServiceVmStates] } });
      const busy = await em.count(Operation, { subject: serviceId, state: 'running' });
      if (held + busy > 0) continue;
      await deleteService(em, service);
      deleted += 1;
    }
    return deleted;
  });
}
