import type { Duplex } from 'node:stream';
import { Client, ConsoleFlag } from 'node-libvirt';
import { asCloudletError } from './libvirt-errors.ts';

/** Serial consoles of guests, for people who type. */
export class GuestConsoles {
  readonly #uri: string;
  readonly #closing = new AbortController();
  #client: Promise<Client> | undefined;

  /** @param uri libvirt's, of the daemon that has the guests; it need not be there yet */
  constructor(uri: string) {
    this.#uri = uri;
  }

  /**
   * What is written is typed, what the guest prints comes out. Whoever had the console before loses it: a connection that
   * broke unnoticed must keep nobody out.
   * @param bootId UUID of the domain
   * @throws CloudletError `hypervisor-unavailable`, `hypervisor-refused`
   */
  async open(bootId: string): Promise<Duplex> {
    try {
      const { domains } = await this.#connect();
      return await (await domains.lookupByUuid(bootId)).openConsole({ flags: ConsoleFlag.FORCE });
    } catch (error) {
      throw asCloudletError(error);
    }
  }

  /** Ends the consoles that are open. */
  async close(): Promise<void> {
    this.#closing.abort();
    await (await this.#client?.catch(() => undefined))?.close();
  }

  #connect(): Promise<Client> {
    this.#client ??= Client.connect(this.#uri, { signal: this.#closing.signal }).catch((error: unknown) => {
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }
}
