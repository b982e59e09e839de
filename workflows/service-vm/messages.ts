import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { OperationProgress } from '../contract/operation.ts';
import { serviceVmMessages } from '../contract/service-vm-messages.ts';
import type {
  ClaimedServiceVm,
  GuestStopped,
  LeasesChanged,
  ServiceVmOutcome,
  ServiceVmReady,
  ServiceVmState,
  StopServiceVm,
} from '../contract/service-vm.ts';

/** Waits until the instance answers, or has failed to. A warm one learns by it that it was claimed. */
export const awaitReady = defineUpdate<ServiceVmReady, [ClaimedServiceVm?]>(serviceVmMessages.awaitReady);
/** From the host's sweep: a warm instance was claimed, and whoever did so has not been heard of since. */
export const claimed = defineSignal<[ClaimedServiceVm]>(serviceVmMessages.claimed);
/** From the host: a warm instance is not wanted any more. */
export const retire = defineSignal(serviceVmMessages.retire);
/** Ends the instance, whoever uses it; answers when nothing of it is left. */
export const stop = defineUpdate<ServiceVmOutcome, [StopServiceVm]>(serviceVmMessages.stop);
/** What an admin did in an editing VM is to be kept; answers when it is, and the instance has ended. Asking again waits beside the first. */
export const saveEdit = defineUpdate<void>(serviceVmMessages.saveEdit);
/** From the API and the host's sweep: the set of users turned empty, or came back. */
export const leasesChanged = defineSignal<[LeasesChanged]>(serviceVmMessages.leasesChanged);
/** From the host's watcher: the guest is gone. */
export const guestStopped = defineSignal<[GuestStopped]>(serviceVmMessages.guestStopped);
export const progress = defineQuery<ServiceVmProgress>(serviceVmMessages.progress);

export interface ServiceVmProgress {
  readonly state: ServiceVmState;
  readonly progress: OperationProgress;
}
