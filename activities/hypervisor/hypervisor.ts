import type { HypervisorFingerprint } from '../../workflows/contract/cloudlet.ts';
import type { GuestStopReason } from '../../workflows/contract/service-vm.ts';
import type { DomainOwner } from './domain-xml.ts';

/** A domain of this cloudlet, as the hypervisor has it now. */
export interface OwnDomain extends DomainOwner {
  readonly name: string;
  readonly running: boolean;
}

/** Undefined is the answer of an agent that refused. `silent` may answer later, `absent` never. */
export type AgentAnswer =
  | { readonly kind: 'answered'; readonly value: unknown }
  | { readonly kind: 'silent' }
  | { readonly kind: 'absent' };

/** News of domains. `reconnected` comes first, and after every gap: what happened before went unseen, so look. */
export type DomainNews =
  | { readonly kind: 'stopped'; readonly name: string; readonly bootId: string; readonly reason: GuestStopReason; readonly detail: string }
  | { readonly kind: 'reconnected' };

/**
 * What the cloudlet asks of a hypervisor. Every method throws `CloudletError`: `hypervisor-unavailable` when it does
 * not answer (try again), `hypervisor-refused` with its own words when it says no.
 */
export interface Hypervisor {
  fingerprint(): Promise<HypervisorFingerprint>;
  /** Starts a transient domain. */
  createDomain(xml: string): Promise<void>;
  /** Brings a domain back from a saved state, or from a FIFO that delivers one, and lets it run. */
  restoreDomain(path: string): Promise<void>;
  /** Stops a domain's clock; it keeps its memory. */
  suspendDomain(name: string): Promise<void>;
  /** Lets the suspended guest of a boot go on, with a user waiting for it. @returns false where it is gone */
  resumeDomain(name: string, bootId: string): Promise<boolean>;
  /** Waits until nothing long is being done with a domain, such as a save whose caller died. Fine when there is none. */
  untilIdle(name: string, signal: AbortSignal): Promise<void>;
  /** Saves a domain to a file and ends it. Where the signal aborts that, it fails and the domain runs on. */
  saveDomain(name: string, path: string, signal: AbortSignal): Promise<void>;
  /** Asks a guest to shut down, as its power button would. */
  shutdownDomain(name: string): Promise<void>;
  /** Ends a domain at once. Fine when there is none. */
  destroyDomain(name: string): Promise<void>;
  /** @returns undefined when there is no such domain, or it is not one of a cloudlet */
  findDomain(name: string): Promise<OwnDomain | undefined>;
  /** All domains of cloudlets on this hypervisor. */
  listDomains(): Promise<OwnDomain[]>;
  /** Where a domain's screen is on the host's loopback. @returns undefined where it has none */
  vncPort(name: string): Promise<number | undefined>;
  /** Asks QEMU's human monitor of a domain. @returns what it answers */
  monitor(name: string, command: string): Promise<string>;
  /** Asks QEMU's guest agent, which an image may have or not. */
  askAgent(name: string, command: object, timeoutSeconds: number): Promise<AgentAnswer>;
  /** News until the signal says stop; goes on over restarts of the hypervisor. */
  news(signal: AbortSignal): AsyncIterable<DomainNews>;
  close(): Promise<void>;
}
