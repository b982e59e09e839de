/** The plugin at work: one connection to Avahi, the announcements on it, and the browser. */
import type { Advertisement, Announcement, DiscoveredPeer, DiscoveryAdvertiser, DiscoveryBrowser } from '../runtime/extension-points.ts';
import type { LifecycleHooks, PluginContext, PluginHealth } from '../runtime/plugin.ts';
import { AvahiAdvertisement } from './avahi-advertisement.ts';
import { AvahiBrowser } from './avahi-browser.ts';
import { AvahiClient } from './avahi-client.ts';

export interface AvahiDiscoveryOptions {
  readonly dbusAddress: string;
  readonly serviceType: string;
  readonly refreshSeconds: number;
}

interface Started {
  readonly context: PluginContext;
  readonly client: AvahiClient;
  readonly browser: AvahiBrowser;
  readonly advertisements: Set<AvahiAdvertisement>;
}

export class AvahiDiscovery implements DiscoveryAdvertiser, DiscoveryBrowser, LifecycleHooks {
  readonly #options: AvahiDiscoveryOptions;
  #started: Started | undefined;

  constructor(options: AvahiDiscoveryOptions) {
    this.#options = options;
  }

  /** Waits for nothing: Avahi may come up later, or never, and the cloudlet serves all the same. */
  async start(context: PluginContext): Promise<void> {
    const { dbusAddress, serviceType: type, refreshSeconds } = this.#options;
    const { log } = context;
    const client = new AvahiClient({ dbusAddress, log });
    const browser = new AvahiBrowser({ type, refreshMs: refreshSeconds * 1000, log });
    client.use(browser);
    client.start();
    this.#started = { context, client, browser, advertisements: new Set() };
  }

  async stop(): Promise<void> {
    const started = this.#started;
    this.#started = undefined;
    await started?.client.stop();
  }

  /** Resolves at once, before anything is announced; `name` follows what Avahi accepts, and `health` tells when it does not. */
  async advertise(announcement: Announcement): Promise<Advertisement> {
    if (this.#started === undefined) throw new Error('Discovery is not running.');
    const { context, client, advertisements } = this.#started;
    const advertisement = new AvahiAdvertisement(announcement, client, context.log);
    advertisements.add(advertisement);
    return {
      get name() {
        return advertisement.name;
      },
      async withdraw() {
        advertisements.delete(advertisement);
        await advertisement.withdraw();
      },
    };
  }

  peers(): readonly DiscoveredPeer[] {
    return this.#started?.browser.peers() ?? [];
  }

  health(): PluginHealth {
    if (this.#started === undefined) return { state: 'degraded', detail: 'Discovery is not running.' };
    const { client, advertisements, browser } = this.#started;
    const detail = client.trouble ?? [...advertisements, browser].find(({ trouble }) => trouble !== undefined)?.trouble;
    return detail === undefined ? { state: 'healthy' } : { state: 'degraded', detail };
  }
}
