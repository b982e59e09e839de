import type { Duplex, Readable } from 'node:stream';
import type { Caller, CallOptions } from '../caller.ts';
import { MetadataType, DomainState } from '../protocol/domain-enums.ts';
import { domainStateReason, type DomainStateReason } from '../protocol/domain-state.ts';
import { enumName, type NameOf } from '../protocol/enum-name.ts';
import type { DomainReference } from '../protocol/references.ts';
import type { TypedParameter } from '../protocol/typed-parameters.ts';
import { DomainBlockJobs } from './domain-block-jobs.ts';
import { DomainJob } from './domain-job.ts';
import { DomainMigration } from './domain-migration.ts';
import { DomainQemu } from './domain-qemu.ts';
import { DomainSnapshots } from './domain-snapshots.ts';
import { DomainStatistics } from './domain-statistics.ts';
import type { FlagOptions } from './flag-options.ts';
import { ManagedSave } from './managed-save.ts';

/** A domain's state by libvirt's names; `UNKNOWN` for what only a newer libvirt has. */
export interface DomainStatus {
  readonly state: NameOf<typeof DomainState>;
  /** Why; its possible values depend on the state. */
  readonly reason: DomainStateReason;
  readonly stateCode: number;
  readonly reasonCode: number;
}

export interface DomainInfo {
  readonly state: NameOf<typeof DomainState>;
  readonly maxMemoryKib: number;
  readonly memoryKib: number;
  readonly vcpus: number;
  readonly cpuTimeNs: bigint;
}

export interface SaveOptions extends FlagOptions {
  /** XML to save in place of the present one. */
  readonly xml?: string | undefined;
}

/**
 * One domain, by name and UUID. It holds no state: each method asks the daemon. Methods throw LibvirtError `NO_DOMAIN` when the
 * domain is gone, which a transient one is as soon as it stops.
 */
export class Domain {
  readonly reference: DomainReference;
  readonly blockJobs: DomainBlockJobs;
  readonly job: DomainJob;
  readonly managedSave: ManagedSave;
  readonly migration: DomainMigration;
  readonly qemu: DomainQemu;
  readonly snapshots: DomainSnapshots;
  readonly statistics: DomainStatistics;
  readonly #caller: Caller;

  constructor(caller: Caller, reference: DomainReference) {
    this.#caller = caller;
    this.reference = reference;
    this.blockJobs = new DomainBlockJobs(caller, reference);
    this.job = new DomainJob(caller, reference);
    this.managedSave = new ManagedSave(caller, reference);
    this.migration = new DomainMigration(caller, reference);
    this.qemu = new DomainQemu(caller, reference);
    this.snapshots = new DomainSnapshots(caller, reference);
    this.statistics = new DomainStatistics(caller, reference);
  }

  get name(): string {
    return this.reference.name;
  }

  get uuid(): string {
    return this.reference.uuid;
  }

  /** libvirt's running number when the domain was looked up, -1 when it was off. */
  get id(): number {
    return this.reference.id;
  }

  async state(options?: CallOptions): Promise<DomainStatus> {
    const { state, reason } = await this.#caller.call('domainGetState', { domain: this.reference, flags: 0 }, options);
    return { state: enumName(DomainState, state), reason: domainStateReason(state, reason), stateCode: state, reasonCode: reason };
  }

  async info(options?: CallOptions): Promise<DomainInfo> {
    const { state, maxMemoryKib, memoryKib, ...rest } = await this.#caller.call('domainGetInfo', { domain: this.reference }, options);
    return { ...rest, state: enumName(DomainState, state), maxMemoryKib: Number(maxMemoryKib), memoryKib: Number(memoryKib) };
  }

  /** The domain's XML. `flags` are `DomainXmlFlag`. */
  async xml({ flags = 0, ...options }: FlagOptions = {}): Promise<string> {
    return (await this.#caller.call('domainGetXmlDesc', { domain: this.reference, flags }, options)).xml;
  }

  async isActive(options?: CallOptions): Promise<boolean> {
    return (await this.#caller.call('domainIsActive', { domain: this.reference }, options)).active;
  }

  async isPersistent(options?: CallOptions): Promise<boolean> {
    return (await this.#caller.call('domainIsPersistent', { domain: this.reference }, options)).persistent;
  }

  /** Starts a defined domain. `flags` are `CreateFlag`. Returns it with its new id. */
  async start({ flags = 0, ...options }: FlagOptions = {}): Promise<Domain> {
    const { domain } = await this.#caller.call('domainCreateWithFlags', { domain: this.reference, flags }, options);
    return new Domain(this.#caller, domain);
  }

  async suspend(options?: CallOptions): Promise<void> {
    await this.#caller.call('domainSuspend', { domain: this.reference }, options);
  }

  async resume(options?: CallOptions): Promise<void> {
    await this.#caller.call('domainResume', { domain: this.reference }, options);
  }

  /** Asks the guest to shut down. Returns at once; a `lifecycle` event tells when it has. `flags` are `ShutdownFlag`. */
  async shutdown({ flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('domainShutdownFlags', { domain: this.reference, flags }, options);
  }

  /** Asks the guest to reboot. `flags` are `RebootFlag`. */
  async reboot({ flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('domainReboot', { domain: this.reference, flags }, options);
  }

  /** Presses the reset button. */
  async reset({ flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('domainReset', { domain: this.reference, flags }, options);
  }

  /** Pulls the plug. `flags` are `DestroyFlag`. */
  async destroy({ flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('domainDestroyFlags', { domain: this.reference, flags }, options);
  }

  /** Forgets a defined domain. `flags` are `UndefineFlag`: what belongs to it and is to go with it. */
  async undefine({ flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('domainUndefineFlags', { domain: this.reference, flags }, options);
  }

  /**
   * Writes the guest's memory to a file on the daemon's host and stops it. `flags` are `SaveRestoreFlag`.
   *
   * The file may be a FIFO. libvirt opens it twice, the second time to write its 92-byte header again; without a reader the call
   * hangs and holds the domain.
   */
  async save(file: string, { xml, flags = 0, ...options }: SaveOptions = {}): Promise<void> {
    await this.#caller.call('domainSaveFlags', { domain: this.reference, file, xml: xml ?? null, flags }, options);
  }

  /** Like {@link save}, with libvirt's own parameters: `file`, `dxml`. */
  async saveWithParameters(parameters: readonly TypedParameter[], { flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('domainSaveParams', { domain: this.reference, parameters, flags }, options);
  }

  /** Writes the guest's memory for debuggers. `format` is a `virDomainCoreDumpFormat`, `flags` a `virDomainCoreDumpFlags`. */
  async coreDump(file: string, { format = 0, flags = 0, ...options }: FlagOptions & { readonly format?: number } = {}): Promise<void> {
    await this.#caller.call('domainCoreDumpWithFormat', { domain: this.reference, file, format, flags }, options);
  }

  async autostart(options?: CallOptions): Promise<boolean> {
    return (await this.#caller.call('domainGetAutostart', { domain: this.reference }, options)).autostart;
  }

  async setAutostart(autostart: boolean, options?: CallOptions): Promise<void> {
    await this.#caller.call('domainSetAutostart', { domain: this.reference, autostart }, options);
  }

  /**
   * The `<metadata>` element of one namespace. `flags` are `Affect`.
   * @throws LibvirtError `NO_DOMAIN_METADATA` when there is none
   */
  async metadata(uri: string, { flags = 0, ...options }: FlagOptions = {}): Promise<string> {
    const args = { domain: this.reference, type: MetadataType.ELEMENT, uri, flags };
    return (await this.#caller.call('domainGetMetadata', args, options)).metadata;
  }

  /** Sets the `<metadata>` element of one namespace, or with `null` removes it. `prefix` is the namespace's prefix in the XML. */
  async setMetadata(uri: string, prefix: string, xml: string | null, { flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    const args = { domain: this.reference, type: MetadataType.ELEMENT, metadata: xml, key: prefix, uri, flags };
    await this.#caller.call('domainSetMetadata', args, options);
  }

  /** Adds a device, as XML. `flags` are `Affect`, as in the next three. */
  async attachDevice(xml: string, { flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('domainAttachDeviceFlags', { domain: this.reference, xml, flags }, options);
  }

  async detachDevice(xml: string, { flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('domainDetachDeviceFlags', { domain: this.reference, xml, flags }, options);
  }

  /** Changes a device, such as the picture in a CD drive. */
  async updateDevice(xml: string, { flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('domainUpdateDeviceFlags', { domain: this.reference, xml, flags }, options);
  }

  /**
   * Connects to a serial console: what the guest prints comes out, what is written is typed. `device` is an alias such as
   * `serial0`, the first console unless said. `flags` are `ConsoleFlag`; with `FORCE` another reader is thrown out.
   */
  async openConsole({ device, flags = 0, ...options }: FlagOptions & { readonly device?: string | undefined } = {}): Promise<Duplex> {
    const args = { domain: this.reference, device: device ?? null, flags };
    return (await this.#caller.openStream('domainOpenConsole', args, options)).stream;
  }

  /** Connects to a virtio channel, by its target name. */
  async openChannel(channel: string, { flags = 0, ...options }: FlagOptions = {}): Promise<Duplex> {
    return (await this.#caller.openStream('domainOpenChannel', { domain: this.reference, channel, flags }, options)).stream;
  }

  /** A picture of a screen, and its MIME type. */
  async screenshot({ screen = 0, flags = 0, ...options }: FlagOptions & { readonly screen?: number } = {}): Promise<{
    readonly mimeType: string;
    readonly image: Readable;
  }> {
    const { reply, stream } = await this.#caller.openStream('domainScreenshot', { domain: this.reference, screen, flags }, options);
    return { mimeType: reply.mimeType ?? 'application/octet-stream', image: stream };
  }
}
