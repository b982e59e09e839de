import { setTimeout as sleep } from 'node:timers/promises';
import {
  Client,
  ErrorCode,
  isLibvirtError,
  LibvirtError,
  SaveRestoreFlag,
  ShutdownFlag,
  type Domain,
  type DomainEvent,
} from 'node-libvirt';
import type { Accelerator, HypervisorFingerprint } from '../../workflows/contract/cloudlet.ts';
import type { GuestStopReason } from '../../workflows/contract/service-vm.ts';
import { cpuModes, machineType, readOwner, readVncPort } from './domain-xml.ts';
import { cpuOf } from './host-cpu.ts';
import type { AgentAnswer, DomainNews, Hypervisor, OwnDomain } from './hypervisor.ts';
import { asCloudletError } from './libvirt-errors.ts';

export interface LibvirtHypervisorOptions {
  /** libvirt's URI of the daemon, e.g. `qemu:///system`. */
  readonly uri: string;
  /** How guests are run here; proven elsewhere, since a host may claim KVM that does not work. */
  readonly accelerator: Accelerator;
}

const lookEveryMs = 100;

/** A daemon of libvirt. It need not be there yet: every call connects if nobody has. */
export class LibvirtHypervisor implements Hypervisor {
  readonly #options: LibvirtHypervisorOptions;
  readonly #closing = new AbortController();
  #client: Promise<Client> | undefined;
  #machine: Promise<string> | undefined;
  #cpu: Promise<string> | undefined;

  constructor(options: LibvirtHypervisorOptions) {
    this.#options = options;
  }

  fingerprint(): Promise<HypervisorFingerprint> {
    return this.#ask(async (client) => ({
      accelerator: this.#options.accelerator,
      qemuVersion: await client.host.hypervisorVersion(),
      machine: await this.#canonicalMachine(client),
      cpuModel: await this.#cpuModel(client),
    }));
  }

  createDomain(xml: string): Promise<void> {
    return this.#ask(async (client) => void (await client.domains.create(xml)));
  }

  restoreDomain(path: string): Promise<void> {
    return this.#ask((client) => client.domains.restore(path, { flags: SaveRestoreFlag.RUNNING }));
  }

  suspendDomain(name: string): Promise<void> {
    return this.#ask(async (client) => (await client.domains.lookupByName(name)).suspend());
  }

  resumeDomain(name: string, bootId: string): Promise<boolean> {
    return this.#ask(async (client) => {
      try {
        const domain = await client.domains.lookupByName(name);
        if (domain.uuid !== bootId) return false;
        // A former attempt may have died of something else; libvirt refuses to resume what runs.
        await domain.resume().catch(async (error: unknown) => {
          if ((await domain.state()).state !== 'RUNNING') throw error;
        });
        return true;
      } catch (error) {
        if (isGone(error)) return false;
        throw error;
      }
    });
  }

  untilIdle(name: string, signal: AbortSignal): Promise<void> {
    return this.#ask(async (client) => {
      try {
        const { job } = await client.domains.lookupByName(name);
        while ((await job.info()).type !== 'NONE') await sleep(lookEveryMs, undefined, { signal });
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    });
  }

  saveDomain(name: string, path: string, signal: AbortSignal): Promise<void> {
    return this.#ask(async (client) => {
      const domain = await client.domains.lookupByName(name);
      signal.throwIfAborted();
      const saved = domain.save(path);
      // Refused until the job has begun, and once it is over.
      const timer = setInterval(() => {
        if (signal.aborted) domain.job.abort().catch(() => undefined);
      }, lookEveryMs);
      try {
        await saved;
      } finally {
        clearInterval(timer);
      }
    });
  }

  shutdownDomain(name: string): Promise<void> {
    return this.#ask(async (client) => (await client.domains.lookupByName(name)).shutdown({ flags: ShutdownFlag.ACPI_POWER_BTN }));
  }

  destroyDomain(name: string): Promise<void> {
    return this.#ask(async (client) => {
      try {
        await (await client.domains.lookupByName(name)).destroy();
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    });
  }

  findDomain(name: string): Promise<OwnDomain | undefined> {
    return this.#ask(async (client) => {
      try {
        return await describe(await client.domains.lookupByName(name));
      } catch (error) {
        if (isGone(error)) return undefined;
        throw error;
      }
    });
  }

  listDomains(): Promise<OwnDomain[]> {
    return this.#ask(async (client) => {
      const domains = await client.domains.list();
      // A transient domain may end between the list and the look.
      const described = await Promise.all(domains.map((domain) => describe(domain).catch(undefinedIfGone)));
      return described.filter((domain) => domain !== undefined);
    });
  }

  vncPort(name: string): Promise<number | undefined> {
    return this.#ask(async (client) => readVncPort(await (await client.domains.lookupByName(name)).xml()));
  }

  monitor(name: string, command: string): Promise<string> {
    return this.#ask(async (client) => (await client.domains.lookupByName(name)).qemu.humanCommand(command));
  }

  askAgent(name: string, command: object, timeoutSeconds: number): Promise<AgentAnswer> {
    return this.#ask(async (client) => {
      const { qemu } = await client.domains.lookupByName(name);
      try {
        return { kind: 'answered', value: await qemu.agentCommand(command, { timeoutSeconds }) };
      } catch (error) {
        if (isLibvirtError(error, ErrorCode.AGENT_UNRESPONSIVE) || isLibvirtError(error, ErrorCode.AGENT_UNSYNCED))
          return { kind: 'silent' };
        if (isLibvirtError(error, ErrorCode.ARGUMENT_UNSUPPORTED)) return { kind: 'absent' };
        if (error instanceof LibvirtError && !isGone(error)) return { kind: 'answered', value: undefined };
        throw error;
      }
    });
  }

  async *news(signal: AbortSignal): AsyncIterable<DomainNews> {
    const client = await this.#connect().catch((error: unknown) => {
      throw asCloudletError(error);
    });
    const events = client.events('lifecycle', { signal });
    await events.ready.catch((error: unknown) => {
      throw asCloudletError(error);
    });
    yield { kind: 'reconnected' };
    for await (const event of events) {
      if (event.kind === 'gap') yield { kind: 'reconnected' };
      else {
        const stopped = readStop(event);
        if (stopped) yield { kind: 'stopped', name: event.domain.name, bootId: event.domain.uuid, ...stopped };
      }
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const client = await this.#client?.catch(() => undefined);
    await client?.close();
  }

  async #ask<T>(question: (client: Client) => Promise<T>): Promise<T> {
    try {
      return await question(await this.#connect());
    } catch (error) {
      throw asCloudletError(error);
    }
  }

  /** One connection for all; a failed attempt is forgotten, so that the next call makes another. */
  #connect(): Promise<Client> {
    this.#client ??= Client.connect(this.#options.uri, { signal: this.#closing.signal }).catch((error: unknown) => {
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }

  /** What guests see of a CPU: emulated ones are all alike, real ones are told apart by all that libvirt knows of them. */
  #cpuModel(client: Client): Promise<string> {
    const mode = cpuModes[this.#options.accelerator];
    if (this.#options.accelerator === 'tcg') return Promise.resolve(mode);
    this.#cpu ??= client.host
      .capabilitiesXml()
      .then((xml) => `${mode} ${cpuOf(xml)}`)
      .catch((error: unknown) => {
        this.#cpu = undefined;
        throw error;
      });
    return this.#cpu;
  }

  /** What the machine type's alias stands for in this QEMU, e.g. `pc-q35-7.2`: a saved state fits no other. */
  #canonicalMachine(client: Client): Promise<string> {
    this.#machine ??= client.host
      .domainCapabilitiesXml({ machine: machineType, virtType: this.#options.accelerator === 'kvm' ? 'kvm' : 'qemu' })
      .then((xml) => /<machine>([^<]+)<\/machine>/.exec(xml)?.[1] ?? machineType)
      .catch((error: unknown) => {
        this.#machine = undefined;
        throw error;
      });
    return this.#machine;
  }
}

const isGone = (error: unknown): boolean => isLibvirtError(error, ErrorCode.NO_DOMAIN);

function undefinedIfGone(error: unknown): undefined {
  if (!isGone(error)) throw error;
}

async function describe(domain: Domain): Promise<OwnDomain | undefined> {
  const owner = readOwner(await domain.xml());
  return owner && { ...owner, name: domain.name, running: (await domain.state()).state === 'RUNNING' };
}

/** What the end of a domain means for its instance; saving and migrating are not the end of a guest. */
const stopReasons: Readonly<Record<string, { reason: GuestStopReason; detail: string }>> = {
  SHUTDOWN: { reason: 'guest-stopped', detail: 'The guest shut itself down' },
  DESTROYED: { reason: 'lost', detail: 'Somebody destroyed the domain' },
  CRASHED: { reason: 'guest-crashed', detail: 'The guest crashed' },
  FAILED: { reason: 'guest-crashed', detail: 'QEMU was killed or crashed' },
};

function readStop({ event, detail }: DomainEvent<'lifecycle'>): (typeof stopReasons)[string] | undefined {
  return event === 'STOPPED' ? stopReasons[detail] : undefined;
}
