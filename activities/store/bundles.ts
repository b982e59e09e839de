import type { BundleRecordActivities, ExportInput, ExportOutcome, WrittenBundle } from '../../workflows/contract/bundle.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { exportServiceWorkflowId } from '../../workflows/contract/ids.ts';
import type { ServiceSpec } from '../../workflows/contract/service.ts';
import { Bundle } from './entities/bundle.ts';
import { ImageLocation } from './entities/image.ts';
import { Operation } from './entities/operation.ts';
import { ServiceImage } from './entities/service.ts';
import { isFresh } from './hosts.ts';
import { once, type Idempotency } from './idempotency.ts';
import { imagesOfServiceImage, type InstanceImages } from './images.ts';
import { publishImport } from './imports.ts';
import { createOperation, settleOperation } from './operations.ts';
import type { PageStart } from './page-start.ts';
import { requireService } from './services.ts';
import type { Store } from './store.ts';

/**
 * The database's side of `exportService` and `importService`.
 * @param context.bundleHoldMs how long a bundle waits to be fetched
 */
export const createBundleRecordActivities = ({ store, bundleHoldMs }: { store: Store; bundleHoldMs: number }): BundleRecordActivities => ({
  hostOfService: ({ serviceId }) => hostOfService(store, serviceId),
  publishImport: (published) => publishImport(store, published),
  publishBundle: (published) => publishBundle(store, published, bundleHoldMs),
});

/**
 * Admits the export of a service.
 * @throws CloudletError `not-found`, `state-conflict` where it has no image yet
 */
export async function admitExport(
  store: Store,
  { serviceId, principal, idempotency }: { serviceId: string; principal: string; idempotency?: Idempotency },
): Promise<{ operationId: string; workflowId: string; repeated: boolean }> {
  return store.transaction(async (em) => {
    const { answer, repeated } = await once(em, principal, idempotency, async () => {
      const service = await requireService(em, serviceId);
      if (!service.image) throw new CloudletError('state-conflict', `"${serviceId}" has no image yet. Wait until it is built.`);
      const operation = createOperation(em, { kind: 'service.export', workflowId: '', subject: serviceId, principal });
      operation.workflowId = exportServiceWorkflowId(operation.id);
      return { operationId: operation.id, workflowId: operation.workflowId };
    });
    return { ...answer, repeated };
  });
}

async function hostOfService(store: Store, serviceId: string): Promise<{ hostId: string }> {
  return store.transaction(async (em) => {
    const { image } = await requireService(em, serviceId);
    const { disk } = await em.findOneOrFail(ServiceImage, { id: image?.id ?? null });
    const locations = await em.find(ImageLocation, { image: disk.id }, { populate: ['host'] });
    const host = locations.map(({ host }) => host.getEntity()).find((candidate) => isFresh(candidate, store.clock.nowMs()));
    if (host) return { hostId: host.id };
    throw new CloudletError('hypervisor-unavailable', `No host that holds "${serviceId}" is up. Start one, or wait until it answers.`);
  });
}

/** A service as it is exported: with the image that instances start from now. */
export interface ExportedService extends Pick<ServiceImage, 'number' | 'savedUnder' | 'savedMemoryMib' | 'savedVcpus'> {
  readonly spec: ServiceSpec;
  readonly images: InstanceImages;
}

/** @throws CloudletError `not-found` */
export async function findExported(store: Store, serviceId: string): Promise<ExportedService> {
  return store.transaction(async (em) => {
    const { spec, image } = await requireService(em, serviceId);
    const { id, number, savedUnder, savedMemoryMib, savedVcpus } = await em.findOneOrFail(ServiceImage, { id: image?.id ?? null });
    return { spec, number, savedUnder, savedMemoryMib, savedVcpus, images: await imagesOfServiceImage(em, id) };
  });
}

/** Repeating it changes nothing. */
async function publishBundle(
  store: Store,
  { operationId, serviceId, compression, hostId, written }: ExportInput & { hostId: string; written: WrittenBundle },
  holdMs: number,
): Promise<ExportOutcome> {
  const { imageVersion, sizeBytes, sha256 } = written;
  const outcome: ExportOutcome = { bundleId: operationId, sizeBytes, sha256 };
  await store.transaction(async (em) => {
    const operation = await em.findOneOrFail(Operation, { id: operationId });
    if (operation.state !== 'running') return;
    em.create(Bundle, {
      id: operationId,
      host: hostId,
      serviceId,
      imageVersion,
      compression,
      sizeBytes,
      sha256,
      expiresAtMs: store.clock.nowMs() + holdMs,
      createdAt: new Date(),
    });
    await em.flush();
    await settleOperation(em, operationId, { state: 'succeeded', result: { ...outcome } });
  });
  return outcome;
}

const noBundle = (id: string): CloudletError =>
  new CloudletError('not-found', `There is no bundle ${id}. It may have expired; export the service again.`);

/** @throws CloudletError `not-found` */
export async function requireBundle(store: Store, id: string): Promise<Bundle> {
  const bundle = await store.fork().findOne(Bundle, { id, expiresAtMs: { $gt: store.clock.nowMs() } });
  if (!bundle) throw noBundle(id);
  return bundle;
}

/** The latest first. */
export const listBundles = (store: Store, { before, limit }: { before?: PageStart; limit: number }): Promise<Bundle[]> =>
  store.fork().find(
    Bundle,
    {
      expiresAtMs: { $gt: store.clock.nowMs() },
      ...(before ? { $or: [{ createdAt: { $lt: before.at } }, { createdAt: before.at, id: { $lt: before.id } }] } : {}),
    },
    { orderBy: { createdAt: 'desc', id: 'desc' }, limit },
  );

/** @throws CloudletError `not-found` */
export async function forgetBundle(store: Store, id: string): Promise<void> {
  if ((await store.fork().nativeDelete(Bundle, { id })) === 0) throw noBundle(id);
}

/**
 * Forgets bundles whose time is over.
 * @returns ids of those whose files this host must keep: they wait, or are just being written
 */
export async function forgetExpiredBundles(store: Store, hostId: string): Promise<ReadonlySet<string> | 'all'> {
  const em = store.fork();
  await em.nativeDelete(Bundle, { expiresAtMs: { $lte: store.clock.nowMs() } });
  if ((await em.count(Operation, { kind: 'service.export', state: 'running' })) > 0) return 'all';
  return new Set((await em.find(Bundle, { host: hostId })).map(({ id }) => id));
}
