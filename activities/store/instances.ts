import type { ServiceSpec } from '../../workflows/contract/service.ts';
import { liveServiceVmStates, type PortMapping, type ServiceVmPurpose } from '../../workflows/contract/service-vm.ts';
import { ServiceVm } from './entities/service-vm.ts';
import { imagesOfServiceImage, type InstanceImages } from './images.ts';
import { portsOf } from './ports.ts';
import type { Store } from './store.ts';

/** What a host needs to know to run an instance. */
export interface Instance {
  readonly serviceVmId: string;
  readonly purpose: ServiceVmPurpose;
  /** The operation that it was asked for by. */
  readonly operationId: string;
  readonly spec: ServiceSpec;
  readonly memoryMib: number;
  readonly vcpus: number;
  readonly ports: readonly PortMapping[];
  readonly images: InstanceImages;
}

/** @returns undefined when there is no such instance, or nothing was reserved for it */
export async function findInstance(store: Store, serviceVmId: string): Promise<Instance | undefined> {
  const em = store.fork();
  const serviceVm = await em.findOne(ServiceVm, { id: serviceVmId });
  if (!serviceVm?.image) return undefined;
  const { purpose, spec, memoryMib, vcpus } = serviceVm;
  const [ports, images] = await Promise.all([portsOf(em, serviceVmId), imagesOfServiceImage(em, serviceVm.image.id)]);
  return {
    serviceVmId,
    purpose,
    operationId: serviceVm.startOperationId,
    spec,
    memoryMib,
    vcpus,
    ports,
    images,
  };
}

/** Guests that should run on a host now, with the boot that should be there. */
export async function bootedInstances(
  store: Store,
  hostId: string,
): Promise<{ serviceVmId: string; bootId: string; bootedBefore: boolean }[]> {
  const rows = await store
    .fork()
    .execute<{ id: string; boot_id: string; host_boot_id: string | null }[]>(
      `select id, boot_id, host_boot_id from service_vms where host_id = ? and state in ('warm', 'ready') and boot_id is not null`,
      [hostId],
    );
  return rows.map((row) => ({ serviceVmId: row.id, bootId: row.boot_id, bootedBefore: row.host_boot_id !== store.clock.bootId }));
}

/** Ready instances of a host, as their traffic is watched. */
export interface ServedInstance {
  readonly serviceVmId: string;
  readonly spec: ServiceSpec;
  readonly ports: readonly PortMapping[];
}

export async function servedInstances(store: Store, hostId: string): Promise<ServedInstance[]> {
  const em = store.fork();
  const serving = await em.find(ServiceVm, { host: hostId, state: 'ready' });
  return Promise.all(serving.map(async ({ id, spec }) => ({ serviceVmId: id, spec, ports: await portsOf(em, id) })));
}

/**
 * Ids of instances that hold something on a host, and of those that were asked for and never taken up by a workflow.
 * A request is given a minute, since the row is written just before its workflow starts; one of a build for as long as
 * the build runs, since the instance that is saved begins only when that which runs the recipe has ended.
 */
export async function liveInstances(store: Store, hostId: string): Promise<string[]> {
  const rows = await store.fork().execute<{ id: string }[]>(
    `select id from service_vms
     where (host_id = ? and state = any(?::text[])) or (state = 'requested' and requested_at < now() - interval '1 minute'
       and not (purpose = any('{build,edit,recipe}') and exists (
         select 1 from operations o where o.id = start_operation_id and o.state = 'running')))`,
    [hostId, `{${liveServiceVmStates.filter((state) => state !== 'requested').join(',')}}`],
  );
  return rows.map(({ id }) => id);
}
