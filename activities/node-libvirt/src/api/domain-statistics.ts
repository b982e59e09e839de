import type { Caller, CallOptions } from '../caller.ts';
import { InterfaceAddressSource, IpAddressType, MemoryStatTag } from '../protocol/domain-enums.ts';
import { enumName, type NameOf } from '../protocol/enum-name.ts';
import type { Reply } from '../protocol/procedures.ts';
import type { DomainReference } from '../protocol/references.ts';
import { typedParameterRecord, type TypedParameterRecord } from '../protocol/typed-parameters.ts';
import type { FlagOptions } from './flag-options.ts';

/** By name of the statistic; sizes in KiB. Which there are depends on the balloon driver in the guest. */
export type MemoryStatistics = { readonly [T in NameOf<typeof MemoryStatTag>]?: bigint };

export interface BlockInfo {
  /** What the guest sees. */
  readonly capacityBytes: number;
  /** What the image takes on the host. */
  readonly allocationBytes: number;
  /** Where the image ends on the host. */
  readonly physicalBytes: number;
}

export interface InterfaceAddress {
  readonly family: NameOf<typeof IpAddressType>;
  readonly address: string;
  readonly prefix: number;
}

export interface GuestInterface {
  readonly name: string;
  readonly hardwareAddress: string | null;
  readonly addresses: readonly InterfaceAddress[];
}

/** Counters of a domain. Counts are bigints, since they may pass 2^53. */
export class DomainStatistics {
  readonly #caller: Caller;
  readonly #domain: DomainReference;

  constructor(caller: Caller, domain: DomainReference) {
    this.#caller = caller;
    this.#domain = domain;
  }

  async memory({ flags = 0, ...options }: FlagOptions = {}): Promise<MemoryStatistics> {
    const maxStatistics = Object.keys(MemoryStatTag).length;
    const { statistics } = await this.#caller.call('domainMemoryStats', { domain: this.#domain, maxStatistics, flags }, options);
    return Object.fromEntries(statistics.map(({ tag, value }) => [enumName(MemoryStatTag, tag), value]));
  }

  /** Requests and bytes of a disk, by target (`vda`) or path. -1 where unknown. */
  async block(device: string, options?: CallOptions): Promise<Reply<'domainBlockStats'>> {
    return this.#caller.call('domainBlockStats', { domain: this.#domain, device }, options);
  }

  /** Like {@link block}, with times and flushes, by libvirt's names. */
  async blockDetails(device: string, { flags = 0, ...options }: FlagOptions = {}): Promise<TypedParameterRecord> {
    const read = (maxParameters: number) =>
      this.#caller.call('domainBlockStatsFlags', { domain: this.#domain, device, maxParameters, flags }, options);
    const { count } = await read(0);
    return typedParameterRecord((await read(count)).parameters);
  }

  async blockInfo(device: string, { flags = 0, ...options }: FlagOptions = {}): Promise<BlockInfo> {
    const reply = await this.#caller.call('domainGetBlockInfo', { domain: this.#domain, device, flags }, options);
    return {
      capacityBytes: Number(reply.capacity),
      allocationBytes: Number(reply.allocation),
      physicalBytes: Number(reply.physical),
    };
  }

  /** Bytes and packets of a network interface, by its name on the host (`vnet0`) or MAC address. */
  async networkInterface(device: string, options?: CallOptions): Promise<Reply<'domainInterfaceStats'>> {
    return this.#caller.call('domainInterfaceStats', { domain: this.#domain, device }, options);
  }

  /** The guest's addresses, as DHCP, the guest agent or the host's ARP table has them. */
  async interfaceAddresses(
    source: keyof typeof InterfaceAddressSource,
    { flags = 0, ...options }: FlagOptions = {},
  ): Promise<readonly GuestInterface[]> {
    const args = { domain: this.#domain, source: InterfaceAddressSource[source], flags };
    const { interfaces } = await this.#caller.call('domainInterfaceAddresses', args, options);
    return interfaces.map((each) => ({
      ...each,
      addresses: each.addresses.map(({ type, address, prefix }) => ({ family: enumName(IpAddressType, type), address, prefix })),
    }));
  }

  /** CPU time of the whole domain in ns: `cpu_time`, `user_time`, `system_time`. */
  async cpu({ flags = 0, ...options }: FlagOptions = {}): Promise<TypedParameterRecord> {
    const read = (maxParameters: number) =>
      this.#caller.call('domainGetCpuStats', { domain: this.#domain, maxParameters, startCpu: -1, cpus: 1, flags }, options);
    const { count } = await read(0);
    return typedParameterRecord((await read(count)).parameters);
  }
}
