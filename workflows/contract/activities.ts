/** The activities that workflows call, by the queue they run on. Adapters implement them in `activities/`. */
import type { PluginEventName, PluginEvents } from './event.ts';
import type { OperationProgress } from './operation.ts';
import type { EndReason, Placement, SavedGuest, ServiceVmOutcome, ServiceVmReady, StartRung } from './service-vm.ts';

/** Mixed into an input: how far the operation is when the activity begins. */
export interface Reported {
  readonly progress?: OperationProgress;
}

interface OfServiceVm {
  readonly serviceVmId: string;
}

/** Run as local activities beside the workflow: the database only. All repeat without harm. */
export interface RecordActivities {
  reserve(input: OfServiceVm & Reported): Promise<Placement>;
  release(input: OfServiceVm): Promise<void>;
  publishReady(input: OfServiceVm & { readonly rung: StartRung; readonly bootId: string } & Reported): Promise<ServiceVmReady>;
  publishRestarting(input: OfServiceVm & { readonly restarts: number; readonly reason: EndReason }): Promise<void>;
  publishStopping(input: OfServiceVm & { readonly reason: EndReason }): Promise<void>;
  retireIfUnused(input: OfServiceVm): Promise<boolean>;
  recordEnd(input: OfServiceVm & { readonly outcome: ServiceVmOutcome }): Promise<void>;
  handlersOf(input: { readonly event: PluginEventName }): Promise<readonly BoundHandler[]>;
}

/** A plugin's handler of an event, and how it is to be run. */
export interface BoundHandler {
  readonly pluginId: string;
  readonly handler: string;
  readonly blocking: boolean;
  readonly timeoutMs: number;
  readonly attempts: number;
}

/** Run on any worker of the cloudlet. */
export interface CloudletActivities {
  /** Runs one plugin's handler. One that is gone is skipped, so that removing a plugin never blocks a workflow. */
  runHandler<Name extends PluginEventName>(input: {
    readonly pluginId: string;
    readonly handler: string;
    readonly event: Name;
    readonly payload: PluginEvents[Name];
  }): Promise<{ readonly skipped?: string }>;
}

/** Run on one host's own queue: its hypervisor, disks and network. All repeat without harm, undos too. */
export interface HostActivities {
  cloneDisk(input: OfServiceVm & { readonly rung: StartRung } & Reported): Promise<void>;
  removeDisk(input: OfServiceVm): Promise<void>;
  /** Boots the guest from its disk, cold. */
  bootGuest(input: OfServiceVm & { readonly bootId: string } & Reported): Promise<void>;
  /** Brings the guest back from the service's saved memory state. */
  restoreGuest(input: OfServiceVm & { readonly bootId: string } & Reported): Promise<void>;
  destroyGuest(input: OfServiceVm): Promise<void>;
  /** Waits until the guest's application answers. */
  awaitGuest(input: OfServiceVm & { readonly timeoutMs: number } & Reported): Promise<void>;
  /** Makes the requests that fill the guest's caches. */
  warmUpGuest(input: OfServiceVm & Reported): Promise<void>;
  /** Saves the guest's memory and disk as images; the guest is gone afterwards. */
  saveGuest(input: OfServiceVm & { readonly bootId: string } & Reported): Promise<SavedGuest>;
}
