import type { Caller, CallOptions } from '../caller.ts';
import type { SnapshotReference } from '../protocol/references.ts';
import type { FlagOptions } from './flag-options.ts';

/** One snapshot of a domain. */
export class DomainSnapshot {
  readonly reference: SnapshotReference;
  readonly #caller: Caller;

  constructor(caller: Caller, reference: SnapshotReference) {
    this.#caller = caller;
    this.reference = reference;
  }

  get name(): string {
    return this.reference.name;
  }

  async xml({ flags = 0, ...options }: FlagOptions = {}): Promise<string> {
    return (await this.#caller.call('domainSnapshotGetXmlDesc', { snapshot: this.reference, flags }, options)).xml;
  }

  /** @throws LibvirtError `NO_DOMAIN_SNAPSHOT` for a root */
  async parent(options?: CallOptions): Promise<DomainSnapshot> {
    const { snapshot } = await this.#caller.call('domainSnapshotGetParent', { snapshot: this.reference, flags: 0 }, options);
    return new DomainSnapshot(this.#caller, snapshot);
  }

  /** Brings the domain back to it. `flags` are `SnapshotRevertFlag`. */
  async revert({ flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('domainRevertToSnapshot', { snapshot: this.reference, flags }, options);
  }

  /** `flags` are `SnapshotDeleteFlag`. */
  async delete({ flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('domainSnapshotDelete', { snapshot: this.reference, flags }, options);
  }
}
