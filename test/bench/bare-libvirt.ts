/** The floor for starting a guest: `virsh` alone, with the same clone. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { cloneXml, domainXml, type DomainIdentity } from '../../activities/hypervisor/domain-xml.ts';
import { parseSaveImageHeader, readSavedXml, saveImageHeaderBytes, withSavedXml } from '../../activities/hypervisor/save-image.ts';
import { runTool } from '../../activities/run-tool.ts';

const run = promisify(execFile);

/** The images of a service, as files. */
export interface ServiceFiles {
  readonly disk: string;
  readonly savedDisk: string;
  readonly memory: string;
}

export interface BareGuest {
  /** Runs `virsh` and waits for the guest's first byte. @returns ms */
  start(): Promise<number>;
  /** Stops a guest that has started. */
  pause(): Promise<void>;
  /** Lets one that was stopped go on, and waits for its first byte. @returns ms */
  resume(): Promise<number>;
  remove(): Promise<void>;
}

export class BareLibvirt {
  readonly #uri: string;
  readonly #folder: string;
  readonly #started = new Set<string>();
  #port = 30_900;

  constructor(uri: string, dataDir: string) {
    this.#uri = uri;
    this.#folder = join(dataDir, 'bare');
  }

  /** A clone of a saved guest, all made ready but the start itself. */
  async restorable(files: ServiceFiles): Promise<BareGuest> {
    const { identity, hostPort } = await this.#identity(files.savedDisk);
    const file = await open(files.memory);
    const header = Buffer.alloc(saveImageHeaderBytes);
    await file.read(header, 0, header.length, 0);
    const parsed = parseSaveImageHeader(header);
    const area = Buffer.alloc(parsed.areaBytes);
    await file.read(area, 0, area.length, saveImageHeaderBytes);
    const saved = join(this.#folder, `${identity.bootId}.save`);
    const target = createWriteStream(saved);
    target.write(withSavedXml(header, area, cloneXml(readSavedXml(parsed, area), identity)));
    await pipeline(file.createReadStream({ start: saveImageHeaderBytes + parsed.areaBytes }), target);
    return this.#guest(identity.name, hostPort, ['restore', saved]);
  }

  async bootable(files: ServiceFiles, memoryMib: number): Promise<BareGuest> {
    const { identity, hostPort } = await this.#identity(files.disk);
    const xml = join(this.#folder, `${identity.bootId}.xml`);
    await writeFile(xml, domainXml({ ...identity, accelerator: 'tcg', memoryMib, vcpus: 1 }));
    return this.#guest(identity.name, hostPort, ['create', xml]);
  }

  async #identity(base: string): Promise<{ identity: DomainIdentity; hostPort: number }> {
    await mkdir(this.#folder, { recursive: true });
    const bootId = randomUUID();
    const diskPath = join(this.#folder, `${bootId}.qcow2`);
    await runTool('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', base, '-F', 'qcow2', diskPath]);
    this.#port += 1;
    const hostPort = this.#port;
    const ports = [{ name: 'http', protocol: 'tcp', guestPort: 8080, hostPort }] as const;
    const identity = {
      name: `cloudlet-bench-bare-${bootId}`,
      bootId,
      cloudletId: randomUUID(),
      serviceVmId: randomUUID(),
      diskPath,
      serialLogPath: join(this.#folder, `${bootId}.log`),
      network: { ports },
    };
    return { identity, hostPort };
  }

  #virsh(...args: readonly string[]) {
    return run('virsh', ['-q', '-c', this.#uri, ...args]);
  }

  #guest(name: string, hostPort: number, command: readonly string[]): BareGuest {
    const virsh = this.#virsh.bind(this);
    const timedToFirstByte = async (...args: readonly string[]) => {
      const startedAt = performance.now();
      await virsh(...args);
      await firstByte(hostPort);
      return performance.now() - startedAt;
    };
    return {
      start: () => {
        this.#started.add(name);
        return timedToFirstByte(...command);
      },
      pause: async () => void (await virsh('suspend', name)),
      resume: () => timedToFirstByte('resume', name),
      remove: () => this.#remove(name),
    };
  }

  async #remove(name: string): Promise<void> {
    await this.#virsh('destroy', name);
    this.#started.delete(name);
  }

  /** Ends what still runs, after a measurement that failed, and removes all disks. */
  async clear(): Promise<void> {
    for (const name of this.#started) await this.#remove(name).catch(() => undefined);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Asks again and again, each time anew, until the guest sends a byte. */
export async function firstByte(port: number): Promise<void> {
  while (!(await answers(port))) {
    // At once again: what is measured is the guest.
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/health', agent: false, timeout: 100 }, (response) => {
      response.resume();
      resolve(true);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => setTimeout(resolve, 5, false));
  });
}
