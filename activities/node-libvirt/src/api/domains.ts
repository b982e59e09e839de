import type { Caller, CallOptions } from '../caller.ts';
import type { DomainReference } from '../protocol/references.ts';
import { typedParameterRecord, type TypedParameter, type TypedParameterRecord } from '../protocol/typed-parameters.ts';
import { Domain } from './domain.ts';
import type { FlagOptions } from './flag-options.ts';

export interface RestoreOptions extends FlagOptions {
  /** XML to use in place of the saved one; name, UUID and what the guest sees must be the same. */
  readonly xml?: string | undefined;
}

/** The domains of a daemon: find them, make them, bring them back from a file. */
export class Domains {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** All domains, or those that `flags` (`ListDomainsFlag`) leave. */
  async list({ flags = 0, ...options }: FlagOptions = {}): Promise<Domain[]> {
    const { domains } = await this.#caller.call('connectListAllDomains', { needResults: 1, flags }, options);
    return domains.map((reference) => this.#domain(reference));
  }

  /** @throws LibvirtError `NO_DOMAIN` */
  async lookupByName(name: string, options?: CallOptions): Promise<Domain> {
    return this.#domain((await this.#caller.call('domainLookupByName', { name }, options)).domain);
  }

  /** @throws LibvirtError `NO_DOMAIN` */
  async lookupByUuid(uuid: string, options?: CallOptions): Promise<Domain> {
    return this.#domain((await this.#caller.call('domainLookupByUuid', { uuid }, options)).domain);
  }

  /** @throws LibvirtError `NO_DOMAIN` */
  async lookupById(id: number, options?: CallOptions): Promise<Domain> {
    return this.#domain((await this.#caller.call('domainLookupById', { id }, options)).domain);
  }

  /**
   * Starts a transient domain. Its events may come before this returns. `flags` are `CreateFlag`; with `AUTODESTROY` it ends with
   * this client, or when the connection to the daemon is lost.
   * @throws LibvirtError `OPERATION_FAILED` when name or UUID is taken; look it up first rather than read the message
   */
  async create(xml: string, { flags = 0, ...options }: FlagOptions = {}): Promise<Domain> {
    return this.#domain((await this.#caller.call('domainCreateXml', { xml, flags }, options)).domain);
  }

  /** Makes or changes a persistent domain, without starting it. `flags` are `DefineFlag`. */
  async define(xml: string, { flags = 0, ...options }: FlagOptions = {}): Promise<Domain> {
    return this.#domain((await this.#caller.call('domainDefineXmlFlags', { xml, flags }, options)).domain);
  }

  /**
   * Brings a domain back from what `Domain.save` wrote. `file` is a path on the daemon's host and may be a FIFO. `flags` are
   * `SaveRestoreFlag`: `RUNNING` and `PAUSED` override the state it was saved in.
   */
  async restore(file: string, { xml, flags = 0, ...options }: RestoreOptions = {}): Promise<void> {
    await this.#caller.call('domainRestoreFlags', { file, xml: xml ?? null, flags }, options);
  }

  /** Like {@link restore}, with libvirt's own parameters: `file`, `dxml`. */
  async restoreWithParameters(parameters: readonly TypedParameter[], { flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('domainRestoreParams', { parameters, flags }, options);
  }

  /** The XML in a saved file. */
  async savedImageXml(file: string, { flags = 0, ...options }: FlagOptions = {}): Promise<string> {
    return (await this.#caller.call('domainSaveImageGetXmlDesc', { file, flags }, options)).xml;
  }

  /** Replaces the XML in a saved file. */
  async defineSavedImageXml(file: string, xml: string, { flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('domainSaveImageDefineXml', { file, xml, flags }, options);
  }

  /** Statistics of all domains at once, or of those given; `groups` are `virDomainStatsTypes`, 0 for all. */
  async statistics({
    domains = [],
    groups = 0,
    flags = 0,
    ...options
  }: FlagOptions & { readonly domains?: readonly Domain[]; readonly groups?: number } = {}): Promise<
    { readonly domain: Domain; readonly statistics: TypedParameterRecord }[]
  > {
    const args = { domains: domains.map(({ reference }) => reference), statistics: groups, flags };
    const { records } = await this.#caller.call('connectGetAllDomainStats', args, options);
    return records.map(({ domain, parameters }) => ({ domain: this.#domain(domain), statistics: typedParameterRecord(parameters) }));
  }

  #domain(reference: DomainReference): Domain {
    return new Domain(this.#caller, reference);
  }
}
