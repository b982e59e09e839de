import { randomUUID } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { HypervisorFingerprint } from '../../workflows/contract/cloudlet.ts';
import type { ServiceSpec } from '../../workflows/contract/service.ts';
import { liveServiceVmStates } from '../../workflows/contract/service-vm.ts';
import { Service, ServiceImage } from './entities/service.ts';
import { ServiceVm } from './entities/service-vm.ts';
import { appendEvent } from './events.ts';
import { settleOperations } from './operations.ts';
import type { Store } from './store.ts';

export const listServices = (store: Store): Promise<Service[]> => store.fork().find(Service, {}, { orderBy: { serviceId: 'asc' } });

export const findService = (store: Store, serviceId: string): Promise<Service | null> => store.fork().findOne(Service, { serviceId });

/** Writes a service or changes what its spec says; its images stay. @returns the service's own id */
export async function putService(em: EntityManager, spec: ServiceSpec): Promise<Service> {
  const known = await em.findOne(Service, { serviceId: spec.serviceId });
  if (known) {
    known.spec = spec;
    await em.flush();
    return known;
  }
  const created = em.create(Service, {
    id: randomUUID(),
    serviceId: spec.serviceId,
    spec,
    image: null,
    createdAt: new Date(),
    updatedAt: new Date(),
  });
  await em.flush();
  return created;
}

export interface NewServiceImage {
  readonly diskId: string;
  readonly saved?: {
    readonly diskId: string;
    readonly memoryId: string;
    readonly under: HypervisorFingerprint;
    readonly memoryMib: number;
    readonly vcpus: number;
  };
}

/**
 * Gives a service a new version of its image, which new instances start from at once. The build that made it is named
 * by its workflow, so that a repeat finds what the first run wrote.
 */
export async function publishServiceImage(
  store: Store,
  build: { workflowId: string; spec: ServiceSpec; image: NewServiceImage },
): Promise<{ number: number }> {
  return store.transaction(async (em) => {
    const service = await putService(em, build.spec);
    const { diskId, saved } = build.image;
    const same = await em.findOne(ServiceImage, { service: service.id, disk: diskId, memory: saved?.memoryId ?? null });
    const number = same?.number ?? 1 + (await latestNumber(em, service.id));
    const image =
      same ??
      em.create(ServiceImage, {
        id: randomUUID(),
        service,
        number,
        disk: diskId,
        savedDisk: saved?.diskId ?? null,
        memory: saved?.memoryId ?? null,
        savedUnder: saved?.under ?? null,
        savedMemoryMib: saved?.memoryMib ?? null,
        savedVcpus: saved?.vcpus ?? null,
        createdAt: new Date(),
      });
    await em.flush();
    await em.nativeUpdate(Service, { id: service.id }, { image: image.id });
    await settleOperations(em, build.workflowId, ['service.build'], {
      state: 'succeeded',
      result: { serviceId: service.serviceId, version: number },
    });
    await appendEvent(em, { type: 'service.published', subject: service.serviceId, audience: 'public', data: { version: number } });
    return { number };
  });
}

async function latestNumber(em: EntityManager, serviceId: string): Promise<number> {
  const [row] = await em.execute<{ number: number | null }[]>('select max(number) as number from service_images where service_id = ?', [
    serviceId,
  ]);
  return row?.number ?? 0;
}

/**
 * Removes a service that nobody runs. @returns whether there was one
 * @throws CloudletError `state-conflict` while instances live
 */
export async function removeService(store: Store, serviceId: string): Promise<boolean> {
  return store.transaction(async (em) => {
    const service = await em.findOne(Service, { serviceId });
    if (!service) return false;
    await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 1))', [service.id]);
    const live = await em.count(ServiceVm, { service: service.id, state: { $in: [...liveServiceVmStates] } });
    if (live > 0) {
      throw new CloudletError(
        'state-conflict',
        `${live} Service VMs of "${serviceId}" are running. Stop them first: cloudlet vm list, cloudlet vm stop.`,
        {
          state: 'running',
        },
      );
    }
    // The record of ended instances goes with their service.
    await em.nativeDelete(ServiceVm, { service: service.id });
    await em.nativeUpdate(Service, { id: service.id }, { image: null });
    await em.nativeDelete(Service, { id: service.id });
    await appendEvent(em, { type: 'service.removed', subject: serviceId, audience: 'public' });
    return true;
  });
}
