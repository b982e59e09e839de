import { CloudletError } from '../../workflows/contract/errors.ts';
import { liveServiceVmStates } from '../../workflows/contract/service-vm.ts';
import { Service } from './entities/service.ts';
import { ServiceVm } from './entities/service-vm.ts';
import { appendEvent } from './events.ts';
import type { Store } from './store.ts';

export const listServices = (store: Store): Promise<Service[]> => store.fork().find(Service, {}, { orderBy: { serviceId: 'asc' } });

export const findService = (store: Store, serviceId: string): Promise<Service | null> => store.fork().findOne(Service, { serviceId });

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
