/** The activities that workflows call, by the queue they run on. Adapters implement them in `activities/`. */
import type { BundleActivities } from './bundle.ts';
import type { InstallInput, InstallOutcome, PreparedApp } from './app.ts';
import type { PluginEventName, PluginEvents } from './event.ts';
import type { DescribedFailure } from './failure.ts';
import type { ImageSettings, LeftToImage } from './image-settings.ts';
import type { ImageSource } from './image-source.ts';
import type { OperationProgress } from './operation.ts';
import type { ServiceSpec } from './service.ts';
import type { EndReason, LeftByGuest, Placement, SavedGuest, ServiceVmOutcome, ServiceVmReady, StartRung } from './service-vm.ts';

/** Mixed into an input: how far the operation is when the activity begins. */
export interface Reported {
  readonly progress?: OperationProgress;
}

interface OfServiceVm {
  readonly serviceVmId: string;
}

export interface PublishReady extends OfServiceVm {
  readonly rung: StartRung;
  readonly bootId: string;
  readonly vncPort?: number;
  readonly reached?: OperationProgress;
}

/** Run as local activities beside the workflow: the database only. All repeat without harm. */
export interface RecordActivities {
  reserve(input: OfServiceVm & Reported): Promise<Placement>;
  release(input: OfServiceVm): Promise<void>;
  /** `reached`: how far its start has come with it, written together with its end: a client waits for both. */
  publishReady(input: PublishReady & Reported): Promise<ServiceVmReady>;
  /** Says that it waits, paused: from now on somebody may claim it. @returns whether it does, or was given up meanwhile */
  publishWarm(input: OfServiceVm & { readonly rung: StartRung; readonly bootId: string }): Promise<'waits' | 'retired'>;
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

/** Of warm pools; run as local activities, too. */
export interface PoolRecordActivities {
  /** Decides on the next change of a host's warm pool, and writes it down: instances to end, or the row of a new one. */
  planPool(input: { readonly hostId: string }): Promise<PoolPlan>;
}

export interface PoolPlan {
  /** Warm instances that nobody can claim any more. */
  readonly retire: readonly string[];
  /** A warm instance to bring up; memory is reserved for it. */
  readonly start?: { readonly serviceVmId: string; readonly serviceId: string };
}

/** Of builds and hosts; run as local activities, too. */
export interface BuildRecordActivities {
  /** Picks the host that does a piece of work which any host can do. */
  chooseHost(input: Record<string, never>): Promise<{ readonly hostId: string }>;
  /** Writes the service, an image of it that nobody starts from yet, and an instance to save its state from. */
  registerBuild(input: BuildInput & { readonly diskId: string }): Promise<RegisteredBuild>;
  /** Has the image of a build that is not published yet boot from another disk. */
  replaceBuildDisk(input: { readonly imageId: string; readonly diskId: string }): Promise<void>;
  /** Undo of `registerBuild`, as long as the image was not published. */
  unregisterBuild(input: BuildInput): Promise<void>;
  publishServiceImage(
    input: BuildInput & { readonly imageId: string; readonly left?: LeftByGuest; readonly notes?: readonly string[] } & Reported,
  ): Promise<BuildOutcome>;
  recordBuildFailure(input: BuildInput & { readonly failure: DescribedFailure }): Promise<void>;
}

/** Of services and of operations in general; run as local activities, too. */
export interface ServiceRecordActivities {
  /** Puts a service into the trash: nobody can start it from now on. */
  trashService(input: RemovalInput & Reported): Promise<void>;
  /** Undo of `trashService`. */
  untrashService(input: RemovalInput): Promise<void>;
  /** Workflows of the instances of a service that live, those included that clients never see. */
  liveInstancesOf(input: { readonly serviceId: string } & Reported): Promise<readonly { readonly workflowId: string }[]>;
  /** Ends the operation; where the service is not to be kept, deletes it. */
  recordRemoval(input: RemovalInput & Reported): Promise<void>;
  /** Ends an operation that failed or was cancelled. */
  recordFailure(input: { readonly operationId: string; readonly failure: DescribedFailure }): Promise<void>;
}

/** What a removal is told when it starts. */
export interface RemovalInput {
  readonly operationId: string;
  readonly serviceId: string;
  /** Whether to end the instances that clients use; else those stand in the way. */
  readonly stop: boolean;
  /** Whether to delete it at once, instead of keeping it in the trash for a while. */
  readonly purge: boolean;
}

/** What a build is told when it starts. */
export interface BuildInput {
  readonly operationId: string;
  /** Without ports where the image of a container is to say which. */
  readonly spec: ServiceSpec;
  /** What of the spec its author did not name. */
  readonly leftToImage?: LeftToImage;
  readonly source: ImageSource;
  /** Whether to boot it once and save its ready state, so that it starts by restore. */
  readonly save: boolean;
  /** Whether an admin works in it first, until that is saved or discarded. */
  readonly edit?: boolean;
}

export interface PreparedDisk extends ImageSettings {
  readonly diskId: string;
  /** What was left out, for people. */
  readonly notes?: readonly string[];
}

export interface RegisteredBuild {
  readonly imageId: string;
  /** The instance that is booted so that its state can be saved. */
  readonly serviceVmId: string;
  /** The instance that the commands of a recipe are run in. */
  readonly recipeVmId?: string;
}

export interface BuildOutcome {
  readonly serviceId: string;
  readonly version: number;
}

/** Of installs of apps; run as local activities, too. */
export interface AppRecordActivities {
  publishApp(input: InstallInput & { readonly prepared: PreparedApp } & Reported): Promise<InstallOutcome>;
}

/** Files of apps; run on any worker of the cloudlet. */
export interface AppActivities {
  /** Looks an upload through and puts it where downloads read it, in a folder of its own. */
  prepareApp(input: InstallInput & Reported): Promise<PreparedApp>;
  /** Removes what an install leaves that no app needs; its undo, too. An upload that is still good is released. */
  discardApp(input: { readonly operationId: string }): Promise<void>;
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

/** Guests of one host; run on its own queue. All repeat without harm, undos too. */
export interface GuestActivities {
  cloneDisk(input: OfServiceVm & { readonly rung: StartRung } & Reported): Promise<void>;
  removeDisk(input: OfServiceVm): Promise<void>;
  /** Boots the guest from its disk, cold. */
  bootGuest(input: OfServiceVm & { readonly bootId: string } & Reported): Promise<void>;
  /**
   * Brings the guest back from the service's saved memory state, and waits until its application answers; it is given an
   * identity of its own meanwhile. One activity, since it answers at once or never.
   */
  restoreGuest(input: OfServiceVm & { readonly bootId: string; readonly timeoutMs: number } & Reported): Promise<void>;
  destroyGuest(input: OfServiceVm): Promise<void>;
  /** Waits until the application of a guest that boots answers. */
  awaitGuest(input: OfServiceVm & { readonly timeoutMs: number } & Reported): Promise<void>;
  /** Makes the requests that fill the guest's caches. */
  warmUpGuest(input: OfServiceVm & Reported): Promise<void>;
  /** Saves the guest's memory and disk as images; the guest is gone afterwards. What was edited is kept by its disk where the guest is gone before. */
  saveGuest(input: OfServiceVm & { readonly bootId: string } & Reported): Promise<LeftByGuest>;
  /** Runs the commands of a recipe in the guest, and shuts it down. A repeat goes on following those that run already. */
  runRecipe(input: OfServiceVm & Reported): Promise<void>;
  /** Keeps the disk of a guest that has shut down as an image. */
  saveDisk(input: OfServiceVm & Reported): Promise<{ readonly diskId: string }>;
  /** Where an admin sees the guest's screen: on the host's loopback alone. */
  findScreen(input: OfServiceVm): Promise<{ readonly vncPort: number }>;
}

/** Warm guests of one host; run on its own queue. All repeat without harm. */
export interface WarmActivities {
  /** Stops the guest's clock: it keeps its memory, and takes no time of the processor. */
  pauseGuest(input: OfServiceVm): Promise<void>;
  /** Lets the guest go on, gives it an identity of its own, and waits until its application answers. */
  claimGuest(input: OfServiceVm & { readonly bootId: string; readonly timeoutMs: number } & Reported): Promise<void>;
  /** Has warm instances end, and waits until their memory is free. */
  retireWarm(input: { readonly serviceVmIds: readonly string[] } & Reported): Promise<void>;
}

/** Images of one host; run on its own queue. */
export interface ImageActivities {
  /** Makes the disk of a new image: assembled by a plugin, or of what an admin brought, after a close look. */
  prepareDisk(input: Pick<BuildInput, 'operationId' | 'spec' | 'source'> & Reported): Promise<PreparedDisk>;
  /** Undo of `prepareDisk`: what it left half done. */
  discardPreparation(input: Pick<BuildInput, 'operationId'>): Promise<void>;
}

/** Looking after the images of one host; run on its own queue. */
export interface VerifyActivities {
  /** Hashes a copy, writes down what came of it. @returns what is wrong with it */
  verifyImage(input: ImageCopy & Reported): Promise<{ readonly damage: string | null }>;
}

/** A host's copy of an image. */
export interface ImageCopy {
  readonly hostId: string;
  readonly sha256: string;
  readonly kind: 'disk' | 'memory';
  readonly sizeBytes: number;
}

/** What a verification of all images is told when it starts. */
export interface VerificationInput {
  readonly operationId: string;
}

export interface VerificationOutcome {
  readonly checked: number;
  readonly damaged: readonly (Pick<ImageCopy, 'hostId' | 'sha256' | 'kind'> & { readonly damage: string })[];
}

/** Run as local activities. */
export interface VerificationRecordActivities {
  /** Copies on hosts that are up. */
  copiesToVerify(input: Record<string, never>): Promise<readonly ImageCopy[]>;
  recordVerification(input: VerificationInput & { readonly outcome: VerificationOutcome }): Promise<void>;
}

/** Of saved states that are made anew; run as local activities. */
export interface RefreshRecordActivities {
  /** Refreshes that should be under way: of saved states that fit no host any more, one at a time. */
  admitRefreshes(input: Record<string, never>): Promise<readonly RefreshInput[]>;
  /** Writes an instance to save the state of. */
  registerRefresh(input: RefreshInput): Promise<RegisteredBuild>;
  /** Undo of `registerRefresh`. */
  unregisterRefresh(input: RefreshInput): Promise<void>;
  publishRefresh(input: RefreshInput & { readonly imageId: string; readonly saved: SavedGuest } & Reported): Promise<void>;
}

/** What a refresh of a saved state is told when it starts. */
export interface RefreshInput {
  readonly operationId: string;
  readonly serviceId: string;
}

/** Setting a host right after a crash; run on its own queue. */
export interface ReconcileActivities {
  /** Instances of this host that no open workflow owns. Removes leftovers that belong to nobody. */
  surveyHost(input: Record<string, never>): Promise<HostSurvey>;
  /** Ends an instance that nobody owns: domain, disk, reservation and record. */
  retireOrphan(input: OfServiceVm): Promise<void>;
}

export interface HostSurvey {
  /** Domains of this cloudlet that run here. */
  readonly domains: number;
  /** Ids of instances to retire. */
  readonly orphans: readonly string[];
  /** Operations that were ended because their workflow is over. */
  readonly settledOperations: number;
  /** Files and folders that were removed. */
  readonly removedFiles: number;
}

export type HostActivities = GuestActivities & ImageActivities & BundleActivities & VerifyActivities & WarmActivities & ReconcileActivities;
