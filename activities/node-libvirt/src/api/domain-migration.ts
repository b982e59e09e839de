import type { Caller, CallOptions } from '../caller.ts';
import { MigrateFlag } from '../protocol/domain-flags.ts';
import type { DomainReference } from '../protocol/references.ts';
import type { TypedParameter, TypedParameterType } from '../protocol/typed-parameters.ts';
import type { FlagOptions } from './flag-options.ts';

export interface MigrationOptions extends FlagOptions {
  /** Where the guest's memory goes: `tcp://host` (leave the port to libvirt) or `unix:///path`. */
  readonly migrateUri?: string | undefined;
  /** Where disks go: `tcp://host` or `unix:///path`. */
  readonly disksUri?: string | undefined;
  readonly disksPort?: number | undefined;
  /** Which disks are copied, by target such as `vda`; all that are not shared unless said. */
  readonly disks?: readonly string[] | undefined;
  readonly destinationName?: string | undefined;
  /** XML for the destination; what the guest sees must be the same. */
  readonly destinationXml?: string | undefined;
  /** XML to define at the destination, with `PERSIST_DEST`. */
  readonly persistentXml?: string | undefined;
  readonly listenAddress?: string | undefined;
  readonly graphicsUri?: string | undefined;
  readonly bandwidthMibPerSecond?: number | undefined;
  readonly parallelConnections?: number | undefined;
  /** Further parameters by libvirt's names. */
  readonly parameters?: readonly TypedParameter[] | undefined;
}

type NamedParameter = Exclude<keyof MigrationOptions, keyof FlagOptions | 'parameters'>;

/** libvirt's name and type of each option (`VIR_MIGRATE_PARAM_*`). An option that is a list becomes a repeated parameter. */
const migrationParameters: { readonly [N in NamedParameter]: readonly [field: string, type: TypedParameterType] } = {
  migrateUri: ['migrate_uri', 'string'],
  disksUri: ['disks_uri', 'string'],
  disksPort: ['disks_port', 'int'],
  disks: ['migrate_disks', 'string'],
  destinationName: ['destination_name', 'string'],
  destinationXml: ['destination_xml', 'string'],
  persistentXml: ['persistent_xml', 'string'],
  listenAddress: ['listen_address', 'string'],
  graphicsUri: ['graphics_uri', 'string'],
  bandwidthMibPerSecond: ['bandwidth', 'ullong'],
  parallelConnections: ['parallel.connections', 'int'],
};

/** Moves a domain to another host. */
export class DomainMigration {
  readonly #caller: Caller;
  readonly #domain: DomainReference;

  constructor(caller: Caller, domain: DomainReference) {
    this.#caller = caller;
    this.#domain = domain;
  }

  /**
   * Lets the source's daemon move the domain to the daemon at `destinationUri`, which it must be able to reach. `flags` are
   * `MigrateFlag`; `PEER2PEER` is always among them. Returns when the domain is there.
   *
   * Aborting the signal does not stop the migration; `job.abort()` does.
   */
  async perform(destinationUri: string, { flags = 0, signal, timeoutMs, ...named }: MigrationOptions = {}): Promise<void> {
    const args = {
      domain: this.#domain,
      destinationUri,
      parameters: toParameters(named),
      cookie: new Uint8Array(),
      flags: (flags | MigrateFlag.PEER2PEER) >>> 0,
    };
    await this.#caller.call('domainMigratePerform3Params', args, { signal, timeoutMs });
  }

  /** How long the guest may stand still at the end. */
  async maxDowntimeMs(options?: CallOptions): Promise<number> {
    return Number((await this.#caller.call('domainMigrateGetMaxDowntime', { domain: this.#domain, flags: 0 }, options)).downtimeMs);
  }

  /** @throws LibvirtError `OPERATION_INVALID` unless the domain is running */
  async setMaxDowntimeMs(downtimeMs: number, options?: CallOptions): Promise<void> {
    await this.#caller.call('domainMigrateSetMaxDowntime', { domain: this.#domain, downtimeMs: BigInt(downtimeMs), flags: 0 }, options);
  }

  /** In MiB/s. `flags` are `MigrateMaxSpeedFlag`. */
  async maxSpeed({ flags = 0, ...options }: FlagOptions = {}): Promise<number> {
    return Number((await this.#caller.call('domainMigrateGetMaxSpeed', { domain: this.#domain, flags }, options)).mibPerSecond);
  }

  /** In MiB/s, also of a migration that is under way. `flags` are `MigrateMaxSpeedFlag`. */
  async setMaxSpeed(mibPerSecond: number, { flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('domainMigrateSetMaxSpeed', { domain: this.#domain, mibPerSecond: BigInt(mibPerSecond), flags }, options);
  }

  /** Lets the guest go over at once and its memory follow; the migration was begun with `POSTCOPY`. */
  async startPostCopy(options?: CallOptions): Promise<void> {
    await this.#caller.call('domainMigrateStartPostCopy', { domain: this.#domain, flags: 0 }, options);
  }
}

function toParameters({ parameters = [], ...named }: Omit<MigrationOptions, keyof FlagOptions>): TypedParameter[] {
  const given = Object.entries(named).flatMap(([name, value]) => {
    const [field, type] = migrationParameters[name as NamedParameter];
    const values: readonly (string | number)[] = value === undefined ? [] : typeof value === 'object' ? value : [value];
    return values.map((one) => ({ field, type, value: type === 'ullong' ? BigInt(one) : one }) as TypedParameter);
  });
  return [...given, ...parameters];
}
