import type { Caller, CallOptions } from '../caller.ts';
import { enumName, type NameOf } from '../protocol/enum-name.ts';
import { CpuCompareResult } from '../protocol/host-enums.ts';
import type { FlagOptions } from './flag-options.ts';

/** What a host has (`virNodeInfo`). */
export interface HostInfo {
  /** CPU architecture, such as `x86_64`. */
  readonly model: string;
  readonly memoryKib: number;
  /** Logical CPUs that are online. */
  readonly cpus: number;
  readonly mhz: number;
  readonly numaNodes: number;
  readonly socketsPerNode: number;
  readonly coresPerSocket: number;
  readonly threadsPerCore: number;
}

/** Whose capabilities are asked for; what is left out, libvirt chooses. */
export interface Emulation {
  /** Path of the QEMU binary. */
  readonly emulator?: string | undefined;
  readonly arch?: string | undefined;
  readonly machine?: string | undefined;
  /** `kvm` or `qemu`. */
  readonly virtType?: string | undefined;
}

/** Counters by libvirt's names. */
export type Counters = Readonly<Record<string, bigint>>;

/** The machine libvirt runs on, and libvirt itself. */
export class Host {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  async hostname(options?: CallOptions): Promise<string> {
    return (await this.#caller.call('connectGetHostname', {}, options)).hostname;
  }

  /** The hypervisor's version, such as `7.2.17`. */
  async hypervisorVersion(options?: CallOptions): Promise<string> {
    return formatVersion((await this.#caller.call('connectGetVersion', {}, options)).version);
  }

  /** The daemon's version, such as `9.0.0`. */
  async libvirtVersion(options?: CallOptions): Promise<string> {
    return formatVersion((await this.#caller.call('connectGetLibVersion', {}, options)).version);
  }

  /** The URI of the driver, such as `qemu:///system`. */
  async uri(options?: CallOptions): Promise<string> {
    return (await this.#caller.call('connectGetUri', {}, options)).uri;
  }

  /** Whether the driver has a feature, by its number in `libvirt_internal.h`. */
  async supportsFeature(feature: number, options?: CallOptions): Promise<boolean> {
    return (await this.#caller.call('connectSupportsFeature', { feature }, options)).supported;
  }

  async info(options?: CallOptions): Promise<HostInfo> {
    const { memoryKib, nodes, sockets, cores, threads, ...rest } = await this.#caller.call('nodeGetInfo', {}, options);
    return {
      ...rest,
      memoryKib: Number(memoryKib),
      numaNodes: nodes,
      socketsPerNode: sockets,
      coresPerSocket: cores,
      threadsPerCore: threads,
    };
  }

  async freeMemoryBytes(options?: CallOptions): Promise<number> {
    return Number((await this.#caller.call('nodeGetFreeMemory', {}, options)).bytes);
  }

  /** Memory of one NUMA node, or of all (-1), in KiB: `total`, `free`, `buffers`, `cached`. */
  async memoryStatistics({ cell = -1, flags = 0, ...options }: FlagOptions & { readonly cell?: number } = {}): Promise<Counters> {
    const read = (maxStatistics: number) => this.#caller.call('nodeGetMemoryStats', { maxStatistics, cell, flags }, options);
    const { count } = await read(0);
    return counters((await read(count)).statistics);
  }

  /** Time of one CPU, or of all (-1), in ns: `kernel`, `user`, `idle`, `iowait`. */
  async cpuStatistics({ cpu = -1, flags = 0, ...options }: FlagOptions & { readonly cpu?: number } = {}): Promise<Counters> {
    const read = (maxStatistics: number) => this.#caller.call('nodeGetCpuStats', { cpu, maxStatistics, flags }, options);
    const { count } = await read(0);
    return counters((await read(count)).statistics);
  }

  /** The capabilities XML: host CPU, and what guests are possible. The first call after the daemon's start takes seconds. */
  async capabilitiesXml(options?: CallOptions): Promise<string> {
    return (await this.#caller.call('connectGetCapabilities', {}, options)).xml;
  }

  /** The domain capabilities XML: what one emulator can give a domain. */
  async domainCapabilitiesXml(emulation: Emulation = {}, { flags = 0, ...options }: FlagOptions = {}): Promise<string> {
    return (await this.#caller.call('connectGetDomainCapabilities', { ...nulled(emulation), flags }, options)).xml;
  }

  /** Firmware's description of the machine, as XML. */
  async systemInfoXml({ flags = 0, ...options }: FlagOptions = {}): Promise<string> {
    return (await this.#caller.call('connectGetSysinfo', { flags }, options)).xml;
  }

  /** How many CPUs a domain of a type (`kvm`, `qemu`) may have. */
  async maxVcpus(virtType?: string, options?: CallOptions): Promise<number> {
    return (await this.#caller.call('connectGetMaxVcpus', { type: virtType ?? null }, options)).max;
  }

  /** CPU models libvirt knows for an architecture. */
  async cpuModels(arch: string, { flags = 0, ...options }: FlagOptions = {}): Promise<readonly string[]> {
    return (await this.#caller.call('connectGetCpuModelNames', { arch, needResults: 1, flags }, options)).models;
  }

  /** How a CPU, as XML, relates to the host's. `SUPERSET`: the host has more, and can run it. */
  async compareCpu(cpuXml: string, { flags = 0, ...options }: FlagOptions = {}): Promise<NameOf<typeof CpuCompareResult>> {
    const { result } = await this.#caller.call('connectCompareCpu', { xml: cpuXml, flags }, options);
    return enumName(CpuCompareResult, result);
  }

  /** Like {@link compareCpu}, with what an emulator can really give. */
  async compareHypervisorCpu(
    cpuXml: string,
    emulation: Emulation = {},
    { flags = 0, ...options }: FlagOptions = {},
  ): Promise<NameOf<typeof CpuCompareResult>> {
    const args = { ...nulled(emulation), cpu: cpuXml, flags };
    return enumName(CpuCompareResult, (await this.#caller.call('connectCompareHypervisorCpu', args, options)).result);
  }

  /** The richest CPU that all given ones have, as XML. */
  async baselineCpu(cpuXmls: readonly string[], { flags = 0, ...options }: FlagOptions = {}): Promise<string> {
    return (await this.#caller.call('connectBaselineCpu', { cpus: cpuXmls, flags }, options)).cpu;
  }

  /** Like {@link baselineCpu}, with what an emulator can really give. */
  async baselineHypervisorCpu(
    cpuXmls: readonly string[],
    emulation: Emulation = {},
    { flags = 0, ...options }: FlagOptions = {},
  ): Promise<string> {
    return (await this.#caller.call('connectBaselineHypervisorCpu', { ...nulled(emulation), cpus: cpuXmls, flags }, options)).cpu;
  }
}

function nulled({
  emulator = null,
  arch = null,
  machine = null,
  virtType = null,
}: { readonly [K in keyof Emulation]: Emulation[K] | null }) {
  return { emulator, arch, machine, virtType };
}

function counters(statistics: readonly { readonly field: string; readonly value: bigint }[]): Counters {
  return Object.fromEntries(statistics.map(({ field, value }) => [field, value]));
}

/** libvirt packs 9.0.1 as 9000001. */
function formatVersion(version: bigint): string {
  return `${version / 1_000_000n}.${(version / 1000n) % 1000n}.${version % 1000n}`;
}
