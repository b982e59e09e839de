import type { ClaimedServiceVm, GuestStopped, LeasesChanged } from '../../workflows/contract/service-vm.ts';

/** How a host tells the workflow that owns an instance what it saw. Fine when that workflow is over. */
export interface WorkflowSignals {
  leasesChanged(serviceVmId: string, news: LeasesChanged): Promise<void>;
  claimed(serviceVmId: string, news: ClaimedServiceVm): Promise<void>;
  retire(serviceVmId: string): Promise<void>;
  guestStopped(serviceVmId: string, news: GuestStopped): Promise<void>;
}
