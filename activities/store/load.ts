import { liveServiceVmStates } from '../../workflows/contract/service-vm.ts';
import type { Store } from './store.ts';

/** Instances that live, and the users that they have together. */
export async function currentLoad(store: Store): Promise<{ serviceVms: number; users: number }> {
  const [row] = await store.fork().execute<{ vms: string; users: string }[]>(
    `select (select count(*) from service_vms where purpose = 'serve' and state = any(?::text[])) as vms,
            (select count(distinct (service_vm_id, holder)) from leases) as users`,
    [`{${liveServiceVmStates.join(',')}}`],
  );
  return { serviceVms: Number(row!.vms), users: Number(row!.users) };
}
