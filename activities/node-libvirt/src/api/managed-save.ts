import type { Caller, CallOptions } from '../caller.ts';
import type { DomainReference } from '../protocol/references.ts';
import type { FlagOptions } from './flag-options.ts';

/** A saved state that libvirt itself keeps for a defined domain, and restores at its next start. */
export class ManagedSave {
  readonly #caller: Caller;
  readonly #domain: DomainReference;

  constructor(caller: Caller, domain: DomainReference) {
    this.#caller = caller;
    this.#domain = domain;
  }

  /** Saves and stops the domain. `flags` are `SaveRestoreFlag`. */
  async save({ flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('domainManagedSave', { domain: this.#domain, flags }, options);
  }

  async exists(options?: CallOptions): Promise<boolean> {
    return (await this.#caller.call('domainHasManagedSaveImage', { domain: this.#domain, flags: 0 }, options)).result;
  }

  async remove(options?: CallOptions): Promise<void> {
    await this.#caller.call('domainManagedSaveRemove', { domain: this.#domain, flags: 0 }, options);
  }

  async xml({ flags = 0, ...options }: FlagOptions = {}): Promise<string> {
    return (await this.#caller.call('domainManagedSaveGetXmlDesc', { domain: this.#domain, flags }, options)).xml;
  }

  /** Replaces the XML it is restored with. `flags` are `SaveRestoreFlag`. */
  async defineXml(xml: string, { flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('domainManagedSaveDefineXml', { domain: this.#domain, xml, flags }, options);
  }
}
