import { randomUUID } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { RefreshInput, RefreshRecordActivities } from '../../workflows/contract/activities.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { refreshSavedStateWorkflowId, serviceVmWorkflowId } from '../../workflows/contract/ids.ts';
import type { SavedGuest } from '../../workflows/contract/service-vm.ts';
import { Host } from './entities/host.ts';
import { Operation } from './entities/operation.ts';
import { Service, ServiceImage } from './entities/service.ts';
import { ServiceVm } from './entities/service-vm.ts';
import { appendEvent } from './events.ts';
import { isFresh } from './hosts.ts';
import { createOperation, settleOperation } from './operations.ts';
import { requireService } from './services.ts';
import { sameFingerprint } from './start-options.ts';
import type { Store } from './store.ts';

/** The database's side of `refreshSavedState`. */
export const createRefreshActivities = ({ store }: { readonly store: Store }): RefreshRecordActivities => ({
  admitRefreshes: () => admitRefreshes(store),
  registerRefresh: (refresh) => registerRefresh(store, refresh),
  unregisterRefresh: ({ operationId }) => unregisterRefresh(store, operationId),
  publishRefresh: ({ imageId, saved, ...refresh }) => publishRefresh(store, refresh, imageId, saved),
});

/** A state that could not be made is not tried again at once: it takes memory and time that users may need. */
const pauseAfterFailure = '1 hour';

/**
 * Admits the refresh of a saved state that no host can use any more, one at a time.
 * @returns the refreshes that should be under way, the one that another round admitted included
 */
async function admitRefreshes(store: Store): Promise<readonly RefreshInput[]> {
  return store.transaction(async (em) => {
    await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 5))', ['service.refresh']);
    const running = await em.find(Operation, { kind: 'service.refresh', state: 'running' });
    if (running.length > 0) return running.map(({ id: operationId, subject: serviceId }) => ({ operationId, serviceId }));
    const serviceId = await findStale(em, store);
    return serviceId === undefined ? [] : [{ operationId: createRefresh(em, serviceId).id, serviceId }];
  });
}

export const createRefresh = (em: EntityManager, serviceId: string): Operation =>
  createOperation(em, {
    kind: 'service.refresh',
    workflowId: refreshSavedStateWorkflowId(serviceId),
    subject: serviceId,
    principal: 'system',
  });

/** A service whose saved state fits no host that is up; nothing is known while none is. */
async function findStale(em: EntityManager, store: Store): Promise<string | undefined> {
  const nowMs = store.clock.nowMs();
  const hosts = (await em.find(Host, { hypervisorProblem: null })).filter((host) => isFresh(host, nowMs) && host.fingerprint);
  if (hosts.length === 0) return undefined;
  const candidates = await em.find(
    Service,
    { trashedBy: null, image: { memory: { $ne: null } } },
    { populate: ['image'], orderBy: { serviceId: 'asc' } },
  );
  for (const { serviceId, spec, image } of candidates) {
    const { savedUnder, savedVcpus } = image!.getEntity();
    const fits = savedVcpus === spec.vcpus && hosts.some(({ fingerprint }) => sameFingerprint(savedUnder, fingerprint));
    if (!fits && !(await isBusyOrGivenUp(em, serviceId))) return serviceId;
  }
  return undefined;
}

async function isBusyOrGivenUp(em: EntityManager, serviceId: string): Promise<boolean> {
  const [row] = await em.execute<{ busy: boolean }[]>(
    `select exists (select 1 from operations where subject = ? and (state = 'running' or
       (kind = 'service.refresh' and state <> 'succeeded' and finished_at > now() - interval '${pauseAfterFailure}'))) as busy`,
    [serviceId],
  );
  return row!.busy;
}

/** The instance carries the operation's id, so that a repeat finds it. */
async function registerRefresh(store: Store, { operationId, serviceId }: RefreshInput): Promise<{ imageId: string; serviceVmId: string }> {
  return store.transaction(async (em) => {
    const known = await em.findOne(ServiceVm, { startOperationId: operationId });
    if (known) return { imageId: known.image!.id, serviceVmId: known.id };
    const service = await requireService(em, serviceId);
    if (!service.image) throw new CloudletError('state-conflict', `The service "${serviceId}" has no image.`, { state: 'unbuilt' });
    const serviceVmId = randomUUID();
    em.create(ServiceVm, {
      id: serviceVmId,
      service,
      spec: service.spec,
      workflowId: serviceVmWorkflowId(serviceVmId),
      startOperationId: operationId,
      purpose: 'build',
      state: 'requested',
      shared: false,
      image: service.image,
      host: null,
      rung: null,
      bootId: null,
      hostBootId: null,
      vncPort: null,
      endReason: null,
      problem: null,
      readyAt: null,
      endedAt: null,
      requestedAt: new Date(),
    });
    return { imageId: service.image.id, serviceVmId };
  });
}

const unregisterRefresh = async (store: Store, operationId: string): Promise<void> =>
  void (await store.fork().nativeDelete(ServiceVm, { startOperationId: operationId, purpose: 'build' }));

/** From now on instances of this image are restored from the new state. Repeating it changes nothing. */
async function publishRefresh(store: Store, { operationId, serviceId }: RefreshInput, imageId: string, saved: SavedGuest): Promise<void> {
  await store.transaction(async (em) => {
    const service = await requireService(em, serviceId);
    const image = await em.findOneOrFail(ServiceImage, { id: imageId });
    Object.assign(image, {
      savedDisk: saved.diskId,
      memory: saved.memoryId,
      savedUnder: saved.under,
      savedMemoryMib: saved.memoryMib,
      savedVcpus: saved.vcpus,
    });
    // How it starts is part of how a service looks.
    service.updatedAt = new Date();
    await em.nativeDelete(ServiceVm, { startOperationId: operationId, purpose: 'build' });
    const ended = await settleOperation(em, operationId, { state: 'succeeded', result: { serviceId, version: image.number } });
    if (ended) appendEvent(em, { type: 'service.refreshed', subject: serviceId, audience: 'public', data: { version: image.number } });
  });
}
