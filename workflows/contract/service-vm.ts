/** A Service VM: one running instance of a service, owned by one `serviceVm` workflow. */
import { Type, type Static } from 'typebox';
import type { HypervisorFingerprint } from './cloudlet.ts';
import type { PluginEventName } from './event.ts';
import type { DescribedFailure } from './failure.ts';

/**
 * States of an instance. `requested` is written with the request itself, before its workflow has taken it up,
 * so that whoever asks next finds it and waits beside the first. `warm` waits, paused, to be claimed.
 */
export const serviceVmStates = ['requested', 'provisioning', 'warm', 'ready', 'migrating', 'stopping', 'stopped', 'failed'] as const;
export type ServiceVmState = (typeof serviceVmStates)[number];

/** What may follow what. Every write of a state goes through this table. */
export const serviceVmTransitions: Readonly<Record<ServiceVmState, readonly ServiceVmState[]>> = {
  requested: ['provisioning', 'stopping', 'failed'],
  provisioning: ['warm', 'ready', 'stopping', 'failed'],
  warm: ['requested', 'stopping', 'failed'],
  ready: ['provisioning', 'migrating', 'stopping', 'failed'],
  migrating: ['ready', 'stopping', 'failed'],
  stopping: ['stopped', 'failed'],
  stopped: [],
  failed: [],
};

/** Instances in these states hold resources, or are about to. */
export const liveServiceVmStates = [
  'requested',
  'provisioning',
  'warm',
  'ready',
  'migrating',
  'stopping',
] as const satisfies readonly ServiceVmState[];
/** Instances in these states may take another user. */
export const joinableServiceVmStates = ['requested', 'provisioning', 'ready'] as const satisfies readonly ServiceVmState[];

export const canFollow = (from: ServiceVmState, to: ServiceVmState): boolean => serviceVmTransitions[from].includes(to);

/** Rungs of the start ladder, from cheap to dear. `join` never reaches the workflow: it is a lease on what runs. */
export const startRungs = ['join', 'claim', 'restore', 'cold-boot'] as const;
export type StartRung = (typeof startRungs)[number];

/** Why an instance ended, in words that operators read. A warm one is `retired` when its pool has no use for it any more. */
export const endReasons = [
  'asked',
  'last-user-left',
  'guest-stopped',
  'guest-crashed',
  'host-rebooted',
  'start-failed',
  'lost',
  'retired',
] as const;
export type EndReason = (typeof endReasons)[number];

/** A port of the guest and where clients reach it. */
export const PortMapping = Type.Object({
  name: Type.String(),
  protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp')]),
  guestPort: Type.Integer(),
  hostPort: Type.Integer(),
});
export type PortMapping = Static<typeof PortMapping>;

/**
 * What an instance is for. A `build` runs once so that its ready state can be saved, an `edit` until the admin who works
 * in it saves or discards, a `recipe` until its commands have run; clients never see any of them. A `warm` one was started
 * ahead of time, and serves from the moment at which somebody claims it.
 */
export const serviceVmPurposes = ['serve', 'build', 'edit', 'recipe', 'warm'] as const;
export type ServiceVmPurpose = (typeof serviceVmPurposes)[number];

/** What the workflow is told when it starts. */
export interface ServiceVmInput {
  readonly serviceVmId: string;
  /** Name of the service, for people who read the execution in Temporal UI. */
  readonly serviceId: string;
  readonly purpose: ServiceVmPurpose;
  /** The operation whose progress this start is. */
  readonly operationId: string;
  /** Where these steps stand among those of a larger operation. */
  readonly within?: { readonly stepsBefore: number; readonly steps: number };
  /** Set when the execution continues as new: where the former run stood. */
  readonly carried?: ServiceVmCarried;
}

/** State that survives continue-as-new. Only an instance that is `ready` is carried over. */
export interface ServiceVmCarried {
  readonly placement: Placement;
  readonly ready: ServiceVmReady;
  readonly bootId: string;
  readonly restarts: number;
  readonly readySinceMs: number;
}

/** What `reserve` answers: where the instance runs and what it holds there. */
export interface Placement {
  readonly hostId: string;
  readonly memoryMib: number;
  readonly vcpus: number;
  /** The rungs that this host can try for the service, in order. */
  readonly rungs: readonly StartRung[];
  readonly readinessTimeoutMs: number;
  readonly restartPolicy: 'never' | 'on-failure' | 'always';
  /** Events of this instance that some plugin listens to; the others are not raised. */
  readonly events: readonly PluginEventName[];
  /** Warm instances that must be gone first, since this one was given their memory; absent where there are none. */
  readonly retired?: readonly string[];
}

/** Answer of the update `awaitReady`. */
export interface ServiceVmReady {
  readonly serviceVmId: string;
  readonly rung: StartRung;
  readonly ports: readonly PortMapping[];
}

/** From the API, and from the host's sweep where that did not get through: a warm instance serves from now on. */
export interface ClaimedServiceVm {
  /** The operation whose progress its start is. */
  readonly operationId: string;
}

/** From the host's watcher: the guest is gone. `bootId` tells late news of a former boot apart. */
export interface GuestStopped {
  readonly bootId: string;
  readonly reason: GuestStopReason;
  readonly detail: string;
}
export type GuestStopReason = Extract<EndReason, 'guest-stopped' | 'guest-crashed' | 'host-rebooted' | 'lost'>;

/** From the API: the set of users turned empty, or came back. */
export interface LeasesChanged {
  readonly users: number;
}

export interface StopServiceVm {
  /** `principalName` of who asked, for the record. */
  readonly by: string;
}

/** Result of the workflow, and what its row says in the end. */
export interface ServiceVmOutcome {
  readonly state: Extract<ServiceVmState, 'stopped' | 'failed'>;
  readonly reason: EndReason;
  readonly error?: DescribedFailure;
  readonly left?: LeftByGuest;
}

/** What an instance leaves behind that was not run to serve: a guest as it was, or the disk of one that had shut down. */
export type LeftByGuest = SavedGuest | { readonly diskId: string };

/** A guest's memory and the disk that belongs to it, as stored images. */
export interface SavedGuest {
  readonly diskId: string;
  readonly memoryId: string;
  readonly under: HypervisorFingerprint;
  readonly memoryMib: number;
  readonly vcpus: number;
}
