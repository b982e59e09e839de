import type { Caller, CallOptions } from '../caller.ts';
import type { NetworkFilterReference } from '../protocol/references.ts';
import type { FlagOptions } from './flag-options.ts';

/** One network filter: rules for what a guest's interface may send and receive. */
export class NetworkFilter {
  readonly reference: NetworkFilterReference;
  readonly #caller: Caller;

  constructor(caller: Caller, reference: NetworkFilterReference) {
    this.#caller = caller;
    this.reference = reference;
  }

  get name(): string {
    return this.reference.name;
  }

  get uuid(): string {
    return this.reference.uuid;
  }

  async xml({ flags = 0, ...options }: FlagOptions = {}): Promise<string> {
    return (await this.#caller.call('nwfilterGetXmlDesc', { filter: this.reference, flags }, options)).xml;
  }

  /** @throws LibvirtError `OPERATION_INVALID` while a guest uses it */
  async undefine(options?: CallOptions): Promise<void> {
    await this.#caller.call('nwfilterUndefine', { filter: this.reference }, options);
  }
}
