import type { GuestStopped, LeasesChanged } from '../../workflows/contract/service-vm.ts';

/** How a host tells the workflow that owns an instance what it saw. Fine when that workflow is over. */
export interface WorkflowSignals {
  leasesChanged(serviceVmId: string, news: LeasesChanged): Promise<void>;
  guestStopped(serviceVmId: string, news: GuestStopped): Promise<void>;
}
