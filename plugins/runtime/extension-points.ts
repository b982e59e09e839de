/** The typed places where a plugin can put something. A point belongs to the process that uses it. */
import type { Decision, Principal, SecurityAction, SecurityResource } from '../../workflows/contract/principal.ts';
import type { CatalogueService } from '../../workflows/contract/catalogue.ts';
import type { PluginProcess } from './plugin.ts';

/** A reference by which plugins contribute and the process reads. `Contribution` is carried in the type only. */
export interface ExtensionPoint<Contribution> {
  readonly id: string;
  readonly process: PluginProcess;
  readonly _contribution?: Contribution;
}

const extensionPoint = <Contribution>(id: string, process: PluginProcess): ExtensionPoint<Contribution> => ({ id, process });

/**
 * Decides who may do what. Every decider is asked; the first refusal is the answer. A decider that throws refuses.
 * Without any decider nothing is allowed.
 */
export interface SecurityDecider {
  decide(principal: Principal, action: SecurityAction, resource: SecurityResource): Promise<Decision> | Decision;
}
export const securityDecide = extensionPoint<SecurityDecider>('security.decide', 'api');

/** What the cloudlet tells the network about itself. */
export interface Announcement {
  /** DNS-SD service type, e.g. `_cloudlet._tcp`. */
  readonly type: string;
  /** Instance name wished for; an advertiser may have to take another one and says so in `Advertisement.name`. */
  readonly name: string;
  readonly port: number;
  readonly txt: Readonly<Record<string, string>>;
  /** Name of the one network interface to announce on; absent = all that the advertiser uses. */
  readonly networkInterface?: string;
}
export interface Advertisement {
  /** The instance name in use now. It can change when a name collides. */
  readonly name: string;
  /** Withdraws the announcement. Never rejects. */
  withdraw(): Promise<void>;
}
export interface DiscoveryAdvertiser {
  /**
   * Announces, and keeps announcing through restarts of what it uses, until withdrawn. Waits for no network: it may
   * resolve before the announcement is out, and the plugin's health says whether it is.
   */
  advertise(announcement: Announcement): Promise<Advertisement>;
}
export const discoveryAdvertise = extensionPoint<DiscoveryAdvertiser>('discovery.advertise', 'api');

/** Another cloudlet that answers on this network. */
export interface DiscoveredPeer {
  readonly name: string;
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly txt: Readonly<Record<string, string>>;
  readonly networkInterface: string;
}
export interface DiscoveryBrowser {
  /** What answers now, from memory. Our own announcement is left out. */
  peers(): readonly DiscoveredPeer[];
}
export const discoveryBrowse = extensionPoint<DiscoveryBrowser>('discovery.browse', 'api');

/** A service that comes with the plugin: its disk is assembled on the host, by a workflow that shows progress. */
export const servicesCatalogue = extensionPoint<CatalogueService>('services.catalogue', 'worker');
