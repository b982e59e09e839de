import type { Caller, CallOptions } from '../caller.ts';
import type { DomainReference, SnapshotReference } from '../protocol/references.ts';
import { DomainSnapshot } from './domain-snapshot.ts';
import type { FlagOptions } from './flag-options.ts';

/** The snapshots of a domain. */
export class DomainSnapshots {
  readonly #caller: Caller;
  readonly #domain: DomainReference;

  constructor(caller: Caller, domain: DomainReference) {
    this.#caller = caller;
    this.#domain = domain;
  }

  /** Takes a snapshot. `flags` are `SnapshotCreateFlag`. */
  async create(xml = '<domainsnapshot/>', { flags = 0, ...options }: FlagOptions = {}): Promise<DomainSnapshot> {
    return this.#snapshot(await this.#caller.call('domainSnapshotCreateXml', { domain: this.#domain, xml, flags }, options));
  }

  /** `flags` are `SnapshotListFlag`. */
  async list({ flags = 0, ...options }: FlagOptions = {}): Promise<DomainSnapshot[]> {
    const { snapshots } = await this.#caller.call('domainListAllSnapshots', { domain: this.#domain, needResults: 1, flags }, options);
    return snapshots.map((snapshot) => this.#snapshot({ snapshot }));
  }

  /** @throws LibvirtError `NO_DOMAIN_SNAPSHOT` */
  async lookupByName(name: string, options?: CallOptions): Promise<DomainSnapshot> {
    return this.#snapshot(await this.#caller.call('domainSnapshotLookupByName', { domain: this.#domain, name, flags: 0 }, options));
  }

  /** The one the domain goes on from, if there is one. */
  async current(options?: CallOptions): Promise<DomainSnapshot | undefined> {
    const args = { domain: this.#domain, flags: 0 };
    if (!(await this.#caller.call('domainHasCurrentSnapshot', args, options)).result) return undefined;
    return this.#snapshot(await this.#caller.call('domainSnapshotCurrent', args, options));
  }

  #snapshot({ snapshot }: { readonly snapshot: SnapshotReference }): DomainSnapshot {
    return new DomainSnapshot(this.#caller, snapshot);
  }
}
