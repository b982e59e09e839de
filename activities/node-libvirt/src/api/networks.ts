import type { Caller, CallOptions } from '../caller.ts';
import type { NetworkReference } from '../protocol/references.ts';
import type { FlagOptions } from './flag-options.ts';
import { Network } from './network.ts';

/** The virtual networks of a daemon. */
export class Networks {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** All networks, or those that `flags` (`ListNetworksFlag`) leave. */
  async list({ flags = 0, ...options }: FlagOptions = {}): Promise<Network[]> {
    const { networks } = await this.#caller.call('connectListAllNetworks', { needResults: 1, flags }, options);
    return networks.map((network) => this.#network({ network }));
  }

  /** @throws LibvirtError `NO_NETWORK` */
  async lookupByName(name: string, options?: CallOptions): Promise<Network> {
    return this.#network(await this.#caller.call('networkLookupByName', { name }, options));
  }

  /** @throws LibvirtError `NO_NETWORK` */
  async lookupByUuid(uuid: string, options?: CallOptions): Promise<Network> {
    return this.#network(await this.#caller.call('networkLookupByUuid', { uuid }, options));
  }

  /** Starts a network that is forgotten when it ends. */
  async create(xml: string, options?: CallOptions): Promise<Network> {
    return this.#network(await this.#caller.call('networkCreateXml', { xml }, options));
  }

  /** Makes or changes a persistent network, without starting it. */
  async define(xml: string, options?: CallOptions): Promise<Network> {
    return this.#network(await this.#caller.call('networkDefineXml', { xml }, options));
  }

  #network({ network }: { readonly network: NetworkReference }): Network {
    return new Network(this.#caller, network);
  }
}
