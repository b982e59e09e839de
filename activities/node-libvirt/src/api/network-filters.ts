import type { Caller, CallOptions } from '../caller.ts';
import type { NetworkFilterReference } from '../protocol/references.ts';
import { NetworkFilter } from './network-filter.ts';

/** The network filters of a daemon. */
export class NetworkFilters {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  async list(options?: CallOptions): Promise<NetworkFilter[]> {
    const { filters } = await this.#caller.call('connectListAllNwfilters', { needResults: 1, flags: 0 }, options);
    return filters.map((filter) => this.#filter({ filter }));
  }

  /** @throws LibvirtError `NO_NWFILTER` */
  async lookupByName(name: string, options?: CallOptions): Promise<NetworkFilter> {
    return this.#filter(await this.#caller.call('nwfilterLookupByName', { name }, options));
  }

  /** @throws LibvirtError `NO_NWFILTER` */
  async lookupByUuid(uuid: string, options?: CallOptions): Promise<NetworkFilter> {
    return this.#filter(await this.#caller.call('nwfilterLookupByUuid', { uuid }, options));
  }

  /** Makes or changes a filter; guests that use it get the new rules at once. */
  async define(xml: string, options?: CallOptions): Promise<NetworkFilter> {
    return this.#filter(await this.#caller.call('nwfilterDefineXml', { xml }, options));
  }

  #filter({ filter }: { readonly filter: NetworkFilterReference }): NetworkFilter {
    return new NetworkFilter(this.#caller, filter);
  }
}
