/**
 * Real PostgreSQL, Temporal, libvirt, D-Bus and Avahi for a test run, beside whatever else runs on this machine. They die
 * with the process that started them, even when it is killed: everything of libvirt lives in a pid namespace of its own.
 * Avahi speaks on loopback alone.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkoutDir, loadConfig } from '../../temporal/config/load-config.ts';
import type { Config } from '../../temporal/config/settings.ts';
import { assignPorts } from '../../temporal/local/assign-ports.ts';
import { type DataDir, prepareDataDir } from '../../temporal/local/data-dir.ts';
import { type LocalFacts, type LocalPartName, localParts } from '../../temporal/local/local-parts.ts';
import {
  identifyProcess,
  isRunning,
  type ProcessIdentity,
  readCommandLine,
  readProcessStat,
} from '../../temporal/supervisor/process-identity.ts';
import { lineReport } from '../../temporal/supervisor/report.ts';
import { startParts } from '../../temporal/supervisor/start-parts.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';

export interface TestParts {
  /** Where they keep everything. Put disks of test VMs in here: libvirt may see no other folder. */
  readonly dataDir: DataDir;
  /** With ports assigned and what the parts told: give it to whatever is under test. */
  readonly config: Config;
  readonly facts: LocalFacts;
  /** Where images and instances lie, if they were to have a disk of their own. */
  readonly disk?: SmallDisk;
  /** Number of the daemon's process, to kill it. It is started again by itself. */
  pidOf(daemon: Daemon): number;
  /** Ends them and removes their folder. */
  stop(): Promise<void>;
}

export interface TestPartsOptions {
  /** Has images and instances on a disk of this size, which can be full or read-only. */
  readonly diskMib?: number;
  readonly parts: readonly LocalPartName[];
  /** Settings as in the environment, e.g. `{ CLOUDLET_GUEST_PORTS: '31000-31099' }`. */
  readonly environment?: Readonly<Record<string, string>>;
}

const folderPrefix = 'cloudlet-test-';
const ownerFile = 'owner.json';

/** Removes what a killed test run has left: only files, its processes died with it. */
function sweepFolders(): void {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(folderPrefix))) {
    const folder = join(tmpdir(), name);
    try {
      const owner = JSON.parse(readFileSync(join(folder, ownerFile), 'utf8')) as ProcessIdentity;
      if (!isRunning(owner)) rmSync(folder, { recursive: true, force: true });
    } catch {
      // Somebody is just making or removing it.
    }
  }
}

/** A data directory for one test run, removed by the next run where this one is killed. */
export function makeTestDataDir(): DataDir {
  sweepFolders();
  const root = mkdtempSync(join(tmpdir(), folderPrefix));
  writeFileSync(join(root, ownerFile), JSON.stringify(identifyProcess(process.pid)));
  return prepareDataDir(root);
}

type Daemon = 'postgres' | 'temporal' | 'libvirtd' | 'dbus' | 'avahi';

/** What the command line of each daemon holds. */
const signsOf = (dataDir: DataDir): Readonly<Record<Daemon, readonly string[]>> => ({
  postgres: ['/postgres', join(dataDir.postgres, 'data')],
  temporal: ['start-dev', dataDir.temporal],
  libvirtd: ['libvirtd', join(dataDir.libvirt, 'libvirtd.pid')],
  dbus: ['dbus-daemon', dataDir.dbus],
  avahi: ['avahi-daemon'],
});

function findPid(daemon: Daemon, dataDir: DataDir): number {
  const found = readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && signsOf(dataDir)[daemon].every((sign) => readCommandLine(pid).includes(sign)))
    // All but libvirtd are children of ours, which tells them from those of another test run.
    .find((pid) => daemon === 'libvirtd' || readProcessStat(pid)?.parentPid === process.pid);
  if (found === undefined) throw new Error(`${daemon} does not run for ${dataDir.root}.`);
  return found;
}

/** Brings up the named parts, and those that they need, and keeps them up until `stop`. */
export async function startTestParts({ parts, environment = {}, diskMib }: TestPartsOptions): Promise<TestParts> {
  const dataDir = makeTestDataDir();
  // Before libvirtd is started, which sees no mounts that are made later.
  const disk = diskMib === undefined ? undefined : await smallDiskOf(dataDir, diskMib);
  const loaded = loadConfig({ environment: { ...environment, CLOUDLET_DATA_DIR: dataDir.root } });
  const config = await assignPorts(loaded.config, dataDir.run);
  const variant = { isolated: true, onlyInterface: 'lo', binDir: join(checkoutDir, '.cloudlet/bin') } as const;
  const wanted = new Set<string>(parts.includes('avahi') ? [...parts, 'dbus'] : parts);
  const lines: string[] = [];
  const never = new AbortController().signal;
  const started = await startParts({
    parts: localParts(config, dataDir, variant)
      .filter((part) => wanted.has(part.name))
      .map((part) => ({ ...part, optional: false })),
    report: lineReport((text) => lines.push(text)),
    logOf: dataDir.logOf,
    signal: never,
    urgent: never,
  });
  return {
    dataDir,
    config: { ...config, ...started.facts },
    facts: started.facts,
    ...(disk ? { disk } : {}),
    pidOf: (daemon) => findPid(daemon, dataDir),
    async stop() {
      await started.stop(never);
      await disk?.unmount();
      rmSync(dataDir.root, { recursive: true, force: true });
    },
  };
}

/** One file system for both: files move between them. */
async function smallDiskOf({ root }: DataDir, sizeMib: number): Promise<SmallDisk> {
  const folder = join(root, 'disk');
  const disk = await mountSmallDisk(folder, sizeMib);
  for (const name of ['images', 'instances']) {
    mkdirSync(join(folder, name));
    symlinkSync(join(folder, name), join(root, name));
  }
  return disk;
}
