import type { Caller, CallOptions } from '../caller.ts';
import type { NetworkReference } from '../protocol/references.ts';
import type { FlagOptions } from './flag-options.ts';

/** One virtual network. */
export class Network {
  readonly reference: NetworkReference;
  readonly #caller: Caller;

  constructor(caller: Caller, reference: NetworkReference) {
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
    return (await this.#caller.call('networkGetXmlDesc', { network: this.reference, flags }, options)).xml;
  }

  /** The host's bridge that the network's guests are plugged into. */
  async bridgeName(options?: CallOptions): Promise<string> {
    return (await this.#caller.call('networkGetBridgeName', { network: this.reference }, options)).name;
  }

  async isActive(options?: CallOptions): Promise<boolean> {
    return (await this.#caller.call('networkIsActive', { network: this.reference }, options)).active;
  }

  async isPersistent(options?: CallOptions): Promise<boolean> {
    return (await this.#caller.call('networkIsPersistent', { network: this.reference }, options)).persistent;
  }

  async autostart(options?: CallOptions): Promise<boolean> {
    return (await this.#caller.call('networkGetAutostart', { network: this.reference }, options)).autostart;
  }

  async setAutostart(autostart: boolean, options?: CallOptions): Promise<void> {
    await this.#caller.call('networkSetAutostart', { network: this.reference, autostart }, options);
  }

  /** Starts a defined network. */
  async start(options?: CallOptions): Promise<void> {
    await this.#caller.call('networkCreate', { network: this.reference }, options);
  }

  /** Stops the network. */
  async destroy(options?: CallOptions): Promise<void> {
    await this.#caller.call('networkDestroy', { network: this.reference }, options);
  }

  /** Forgets a defined network. */
  async undefine(options?: CallOptions): Promise<void> {
    await this.#caller.call('networkUndefine', { network: this.reference }, options);
  }
}
