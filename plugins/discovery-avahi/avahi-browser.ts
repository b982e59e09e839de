/** The other cloudlets on this network, kept in memory. */
import type { DiscoveredPeer, DiscoveryBrowser } from '../runtime/extension-points.ts';
import type { PluginLog } from '../runtime/plugin.ts';
import { messageOf } from '../runtime/deadline.ts';
import type { AvahiUser } from './avahi-client.ts';
import type { AvahiSession, BrowsedItem } from './avahi-session.ts';
import { aborted, pause } from './pause.ts';
import { decodeTxt } from './txt-record.ts';

export interface AvahiBrowserSettings {
  /** DNS-SD service type. */
  readonly type: string;
  /** How often each peer is looked up again: one that crashed said no goodbye, and stays in Avahi's cache for over an hour. */
  readonly refreshMs: number;
  readonly log: PluginLog;
}

/** Anybody on the network can announce as many as they like. */
const maximumPeers = 256;

const keyOf = ({ interfaceIndex, name, domain }: BrowsedItem): string => JSON.stringify([interfaceIndex, name, domain]);

export class AvahiBrowser implements DiscoveryBrowser, AvahiUser {
  readonly #settings: AvahiBrowserSettings;
  /** By what ends the following of each: a peer that leaves and comes back at once is followed twice for a moment. */
  readonly #peers = new Map<AbortSignal, DiscoveredPeer>();
  #trouble: string | undefined;

  constructor(settings: AvahiBrowserSettings) {
    this.#settings = settings;
  }

  /** Why it does not browse; undefined when nothing is known against it. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  peers(): readonly DiscoveredPeer[] {
    return [...this.#peers.values()];
  }

  failed(error: unknown): void {
    this.#trouble = `Avahi does not look for other cloudlets: ${messageOf(error)}`;
    this.#settings.log.warn({ err: error }, this.#trouble);
  }

  async run(session: AvahiSession, over: AbortSignal): Promise<void> {
    const followed = new Map<string, AbortController>();
    const { promise: failure, reject: fail } = Promise.withResolvers<never>();
    const browser = await session.browse(this.#settings.type, {
      added: (item) => {
        if (followed.size >= maximumPeers || followed.has(keyOf(item))) return;
        const gone = new AbortController();
        followed.set(keyOf(item), gone);
        void this.#follow(session, item, AbortSignal.any([over, gone.signal]));
      },
      removed: (item) => {
        followed.get(keyOf(item))?.abort();
        followed.delete(keyOf(item));
      },
      failed: (reason) => fail(new Error(reason)),
    });
    this.#trouble = undefined;
    try {
      await Promise.race([aborted(over), failure]);
    } finally {
      for (const gone of followed.values()) gone.abort();
      await browser.free();
    }
  }

  /** Keeps one peer up to date while it is announced. Never rejects. */
  async #follow(session: AvahiSession, item: BrowsedItem, gone: AbortSignal): Promise<void> {
    while (!gone.aborted) {
      const peer = await resolvePeer(session, item).catch(() => undefined);
      if (peer === undefined) this.#peers.delete(gone);
      else this.#peers.set(gone, peer);
      await pause(this.#settings.refreshMs, gone);
    }
    this.#peers.delete(gone);
  }
}

/** @throws where the peer does not answer, or the session is over */
async function resolvePeer(session: AvahiSession, item: BrowsedItem): Promise<DiscoveredPeer> {
  const [networkInterface, { host, address, port, txt }] = await Promise.all([
    session.interfaceName(item.interfaceIndex),
    session.resolve(item),
  ]);
  return { name: item.name, host, address, port, txt: decodeTxt(txt), networkInterface };
}
