import type { ServiceSpec } from '../../workflows/contract/service.ts';
import type { PortMapping } from '../../workflows/contract/service-vm.ts';
import { ServiceVm } from './entities/service-vm.ts';
import { imagesOfServiceImage, type InstanceImages } from './images.ts';
import { portsOf } from './ports.ts';
import type { Store } from './store.ts';

/** What a host needs to know to run an instance. */
export interface Instance {
  readonly serviceVmId: string;
  readonly spec: ServiceSpec;
  readonly memoryMib: number;
  readonly vcpus: number;
  readonly ports: readonly PortMapping[];
  readonly images: InstanceImages;
}

/** @returns undefined when there is no such instance, or nothing was reserved for it */
export async function findInstance(store: Store, serviceVmId: string): Promise<Instance | undefined> {
  const em = store.fork();
  const serviceVm = await em.findOne(ServiceVm, { id: serviceVmId }, { populate: ['service'] });
  if (!serviceVm?.image) return undefined;
  const { memoryMib, vcpus } = serviceVm;
  return {
    serviceVmId,
    spec: serviceVm.service.getEntity().spec,
    memoryMib,
    vcpus,
    ports: await portsOf(em, serviceVmId),
    images: await imagesOfServiceImage(em, serviceVm.image.id),
  };
}
