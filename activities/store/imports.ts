import { randomUUID } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { ImportChoices, ImportInput, ImportOutcome, UnpackedService } from '../../workflows/contract/bundle.ts';
import { completeSpec } from '../../workflows/contract/complete-spec.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { buildServiceImageWorkflowId, importServiceWorkflowId } from '../../workflows/contract/ids.ts';
import type { ServiceSpec } from '../../workflows/contract/service.ts';
import { Operation } from './entities/operation.ts';
import { Service, ServiceImage } from './entities/service.ts';
import { appendEvent } from './events.ts';
import { once, type Idempotency } from './idempotency.ts';
import { createOperation, settleOperation } from './operations.ts';
import { lockService, refuseTrashed } from './services.ts';
import type { Store } from './store.ts';

/**
 * Admits the import of a bundle.
 * @returns the operation, and whether an earlier request with the same key began it
 */
export async function admitImport(
  store: Store,
  { subject, principal, idempotency }: { subject: string; principal: string; idempotency?: Idempotency },
): Promise<{ operationId: string; workflowId: string; repeated: boolean }> {
  return store.transaction(async (em) => {
    const { answer, repeated } = await once(em, principal, idempotency, async () => {
      const operation = createOperation(em, { kind: 'service.import', workflowId: '', subject, principal });
      operation.workflowId = importServiceWorkflowId(operation.id);
      return { operationId: operation.id, workflowId: operation.workflowId };
    });
    return { ...answer, repeated };
  });
}

/**
 * What becomes of a service that is imported: a new one, or a new version of one that is here.
 * @throws CloudletError `name-taken` where there is one and nobody said that it gets a new version,
 *   `operation-in-progress` while it is built, `state-conflict` where it is in the trash
 */
export async function requireImportable(
  em: EntityManager,
  serviceId: string,
  { asNewVersion = false }: ImportChoices,
): Promise<Service | null> {
  await refuseTrashed(em, serviceId);
  const building = await em.findOne(Operation, { workflowId: buildServiceImageWorkflowId(serviceId), state: 'running' });
  if (building) throw new CloudletError('operation-in-progress', `"${serviceId}" is just being built.`, { operationId: building.id });
  const known = await lockService(em, serviceId);
  if (known && !asNewVersion) {
    throw new CloudletError(
      'name-taken',
      `There is a service "${serviceId}" already. Import the bundle as its new version, or under another name.`,
    );
  }
  return known;
}

/** From now on the service is there. Repeating it changes nothing. */
export async function publishImport(
  store: Store,
  { operationId, choices, unpacked }: ImportInput & { readonly unpacked: UnpackedService },
): Promise<ImportOutcome> {
  return store.transaction(async (em) => {
    const operation = await em.findOneOrFail(Operation, { id: operationId });
    if (operation.state === 'succeeded') return operation.result as unknown as ImportOutcome;
    const { serviceId, saved, notes } = unpacked;
    // Of two that bring the same new name, one waits for the other.
    await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 6))', [serviceId]);
    const service = (await requireImportable(em, serviceId, choices)) ?? newService(em, unpacked);
    const image = em.create(ServiceImage, {
      id: randomUUID(),
      service,
      number: 1 + (await latestNumber(em, service.id)),
      disk: unpacked.diskId,
      savedDisk: saved?.diskId ?? null,
      memory: saved?.memoryId ?? null,
      savedUnder: saved?.under ?? null,
      savedMemoryMib: saved?.memoryMib ?? null,
      savedVcpus: saved?.vcpus ?? null,
      createdAt: new Date(),
    });
    await em.flush();
    Object.assign(service, { spec: specOf(unpacked, service), image, writtenBy: null });
    // Until now nobody could say which service the bundle brings.
    operation.subject = serviceId;
    await em.flush();
    const outcome: ImportOutcome = { serviceId, version: image.number, restores: saved !== undefined, notes };
    await settleOperation(em, operationId, { state: 'succeeded', result: { ...outcome } });
    appendEvent(em, { type: 'service.published', subject: serviceId, audience: 'public', data: { version: image.number } });
    return outcome;
  });
}

function newService(em: EntityManager, unpacked: UnpackedService): Service {
  const { serviceId } = unpacked;
  const now = new Date();
  return em.create(Service, { id: randomUUID(), serviceId, spec: specOf(unpacked), image: null, createdAt: now, updatedAt: now });
}

/** What the bundle says; where it says nothing, what the service was so far. Other ports are answered by another probe. */
function specOf({ serviceId, spec }: UnpackedService, known?: Service): ServiceSpec {
  const { readiness, ...former } = known?.spec ?? {};
  const samePorts = JSON.stringify(spec.ports) === JSON.stringify(known?.spec.ports);
  return completeSpec({ ...former, ...(readiness && samePorts ? { readiness } : {}), ...spec, serviceId });
}

async function latestNumber(em: EntityManager, serviceId: string): Promise<number> {
  const [row] = await em.execute<{ number: number | null }[]>('select max(number) as number from service_images where service_id = ?', [
    serviceId,
  ]);
  return row?.number ?? 0;
}
