import { randomUUID } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { BuildInput, BuildOutcome, BuildRecordActivities, RegisteredBuild } from '../../workflows/contract/activities.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { toCloudletError, type DescribedFailure } from '../../workflows/contract/failure.ts';
import type { ServiceSpec } from '../../workflows/contract/service.ts';
import { buildServiceImageWorkflowId, serviceVmWorkflowId } from '../../workflows/contract/ids.ts';
import type { LeftByGuest, ServiceVmPurpose } from '../../workflows/contract/service-vm.ts';
import { Host } from './entities/host.ts';
import { Operation } from './entities/operation.ts';
import { Service, ServiceImage } from './entities/service.ts';
import { ServiceVm } from './entities/service-vm.ts';
import { appendEvent } from './events.ts';
import { isFresh } from './hosts.ts';
import { once, type Idempotency } from './idempotency.ts';
import { createOperation, settleOperations } from './operations.ts';
import { refuseTrashed } from './services.ts';
import type { Store } from './store.ts';

/** The database's side of `buildServiceImage`. */
export const createBuildRecordActivities = ({ store }: { readonly store: Store }): BuildRecordActivities => ({
  chooseHost: () => chooseHost(store),
  registerBuild: ({ diskId, ...build }) => registerBuild(store, build, diskId),
  replaceBuildDisk: (replaced) => replaceBuildDisk(store, replaced),
  unregisterBuild: ({ operationId }) => unregisterBuild(store, operationId),
  publishServiceImage: ({ imageId, left, notes = [], ...build }) => publishServiceImage(store, build, { imageId, left, notes }),
  recordBuildFailure: ({ failure, ...build }) => recordBuildFailure(store, build, failure),
});

/** An edit is a build that an admin takes part in: both make the next image of a service. */
const buildKinds = ['service.build', 'service.edit'] as const;
const buildPurposes = { $in: ['build', 'edit', 'recipe'] as const };

/**
 * Admits a build or an edit: at most one of a service at a time.
 * @returns the operation's id, and whether an earlier request with the same key began it
 * @throws CloudletError `operation-in-progress` naming the build that runs
 */
export async function admitBuild(
  store: Store,
  { serviceId, edit = false, principal, idempotency }: { serviceId: string; edit?: boolean; principal: string; idempotency?: Idempotency },
): Promise<{ operationId: string; workflowId: string; repeated: boolean }> {
  const workflowId = buildServiceImageWorkflowId(serviceId);
  return store.transaction(async (em) => {
    await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 5))', [workflowId]);
    const { answer, repeated } = await once(em, principal, idempotency, async () => {
      await refuseTrashed(em, serviceId);
      const running = await em.findOne(Operation, { workflowId, state: 'running' });
      if (running) {
        const done = running.kind === 'service.edit' ? `edited by ${running.principal}` : 'built';
        throw new CloudletError('operation-in-progress', `"${serviceId}" is being ${done} already.`, { operationId: running.id });
      }
      return {
        operationId: createOperation(em, { kind: edit ? 'service.edit' : 'service.build', workflowId, subject: serviceId, principal }).id,
      };
    });
    return { ...answer, workflowId, repeated };
  });
}

async function chooseHost(store: Store): Promise<{ hostId: string }> {
  const hosts = await store.fork().find(Host, { hypervisorProblem: null }, { orderBy: { memoryAvailableMib: 'desc' } });
  const host = hosts.find((candidate) => isFresh(candidate, store.clock.nowMs()));
  if (!host) throw new CloudletError('hypervisor-unavailable', 'No host of this cloudlet is up. Start one, or wait until it answers.');
  return { hostId: host.id };
}

/** The image and the instance carry the operation's id, so that a repeat finds them. */
async function registerBuild(
  store: Store,
  { operationId, spec, source, edit = false }: BuildInput,
  diskId: string,
): Promise<RegisteredBuild> {
  return store.transaction(async (em) => {
    const known = await em.find(ServiceVm, { startOperationId: operationId, purpose: buildPurposes });
    if (known.length > 0) return registered(known);
    const service = await serviceOf(em, spec, operationId);
    const image = em.create(ServiceImage, {
      id: randomUUID(),
      service,
      number: 1 + (await latestNumber(em, service.id)),
      disk: diskId,
      savedDisk: null,
      memory: null,
      savedUnder: null,
      savedMemoryMib: null,
      savedVcpus: null,
      createdAt: new Date(),
    });
    const purposes = [...(source.kind === 'recipe' ? (['recipe'] as const) : []), edit ? ('edit' as const) : ('build' as const)];
    return registered(purposes.map((purpose) => newBuildVm(em, { service, spec, image, operationId, purpose })));
  });
}

type BuildPurpose = Extract<ServiceVmPurpose, 'build' | 'edit' | 'recipe'>;

function newBuildVm(
  em: EntityManager,
  {
    service,
    spec,
    image,
    operationId,
    purpose,
  }: {
    service: Service;
    spec: ServiceSpec;
    image: ServiceImage;
    operationId: string;
    purpose: BuildPurpose;
  },
): ServiceVm {
  const id = randomUUID();
  return em.create(ServiceVm, {
    id,
    service,
    spec: purpose === 'build' ? spec : workedInSpec(spec),
    workflowId: serviceVmWorkflowId(id),
    startOperationId: operationId,
    purpose,
    state: 'requested',
    shared: false,
    image,
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
}

/** What a build's instances say of it. */
function registered(serviceVms: readonly ServiceVm[]): RegisteredBuild {
  const recipeVm = serviceVms.find(({ purpose }) => purpose === 'recipe');
  const serviceVm = serviceVms.find(({ purpose }) => purpose !== 'recipe')!;
  return { imageId: serviceVm.image!.id, serviceVmId: serviceVm.id, ...(recipeVm ? { recipeVmId: recipeVm.id } : {}) };
}

async function replaceBuildDisk(store: Store, { imageId, diskId }: { imageId: string; diskId: string }): Promise<void> {
  await store.transaction((em) => em.nativeUpdate(ServiceImage, { id: imageId }, { disk: diskId }));
}

/** What is installed in it may not answer yet, and whoever shuts it down does not want it back. */
const workedInSpec = (spec: ServiceSpec): ServiceSpec => ({ ...spec, readiness: { kind: 'none' }, restartPolicy: 'never' });

async function serviceOf(em: EntityManager, spec: BuildInput['spec'], writtenBy: string): Promise<Service> {
  const known = await em.findOne(Service, { serviceId: spec.serviceId });
  if (known) return known;
  return em.create(Service, {
    id: randomUUID(),
    serviceId: spec.serviceId,
    spec,
    image: null,
    writtenBy,
    createdAt: new Date(),
    updatedAt: new Date(),
  });
}

async function latestNumber(em: EntityManager, serviceId: string): Promise<number> {
  const [row] = await em.execute<{ number: number | null }[]>('select max(number) as number from service_images where service_id = ?', [
    serviceId,
  ]);
  return row?.number ?? 0;
}

async function unregisterBuild(store: Store, operationId: string): Promise<void> {
  await store.transaction(async (em) => {
    const [serviceVm] = await em.find(ServiceVm, { startOperationId: operationId, purpose: buildPurposes });
    if (!serviceVm) return;
    const imageId = serviceVm.image?.id;
    const serviceId = serviceVm.service.id;
    if (await em.findOne(Service, { image: imageId ?? null, id: serviceId })) return;
    await em.nativeDelete(ServiceVm, { startOperationId: operationId, purpose: buildPurposes });
    if (imageId) await em.nativeDelete(ServiceImage, { id: imageId });
    // A service that was written for this build alone goes with it.
    await em.execute(
      'delete from services s where s.id = ? and s.written_by is not null and not exists (select 1 from service_images i where i.service_id = s.id) and not exists (select 1 from service_vms v where v.service_id = s.id)',
      [serviceId],
    );
  });
}

/** From now on new instances start from this image. Repeating it changes nothing. */
async function publishServiceImage(
  store: Store,
  { spec, source, operationId, edit = false }: BuildInput,
  { imageId, left, notes }: { imageId: string; left: LeftByGuest | undefined; notes: readonly string[] },
): Promise<BuildOutcome> {
  return store.transaction(async (em) => {
    const image = await em.findOneOrFail(ServiceImage, { id: imageId }, { populate: ['service'] });
    const service = image.service.getEntity();
    const outcome = { serviceId: service.serviceId, version: image.number };
    if (service.image?.id === imageId) return outcome;
    if (left && edit) Object.assign(image, { disk: left.diskId });
    if (left && 'memoryId' in left) {
      Object.assign(image, {
        savedDisk: left.diskId,
        memory: left.memoryId,
        savedUnder: left.under,
        savedMemoryMib: left.memoryMib,
        savedVcpus: left.vcpus,
      });
    }
    // Whoever edits the image of a service leaves alone how it is run, which others may have changed meanwhile.
    const ofItself = source.kind === 'service' && source.serviceId === spec.serviceId;
    Object.assign(service, { image, writtenBy: null, ...(ofItself ? {} : { spec }) });
    // The instance that was saved has served; its record says nothing to anybody.
    await em.nativeDelete(ServiceVm, { startOperationId: operationId, purpose: buildPurposes });
    await em.flush();
    await settleOperations(em, buildServiceImageWorkflowId(spec.serviceId), buildKinds, {
      state: 'succeeded',
      result: { ...outcome, ...(notes.length > 0 ? { notes } : {}) },
    });
    appendEvent(em, { type: 'service.published', subject: service.serviceId, audience: 'public', data: { version: image.number } });
    return outcome;
  });
}

export async function recordBuildFailure(store: Store, { spec }: BuildInput, failure: DescribedFailure): Promise<void> {
  await store.transaction((em) =>
    settleOperations(em, buildServiceImageWorkflowId(spec.serviceId), buildKinds, {
      state: failure.code === 'cancelled' ? 'cancelled' : 'failed',
      error: toCloudletError(failure),
    }),
  );
}
