import { randomUUID } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readProcessStat } from '../supervisor/process-identity.ts';

/** Where a libvirtd of our own keeps its things, below one folder. */
export interface LibvirtFiles {
  /** Becomes /run in its namespace. */
  readonly run: string;
  readonly etc: string;
  readonly lib: string;
  readonly log: string;
  readonly cache: string;
  readonly socket: string;
  readonly script: string;
  /** Who the reaper around everything is: a `ProcessIdentity` as JSON. */
  readonly keeper: string;
  /** Number of the process that takes the signals; see libvirt-keeper.sh. */
  readonly keeperPid: string;
  readonly libvirtdPid: string;
}

export function libvirtFiles(directory: string): LibvirtFiles {
  const run = join(directory, 'run');
  return {
    run,
    etc: join(directory, 'etc'),
    lib: join(directory, 'lib'),
    log: join(directory, 'log'),
    cache: join(directory, 'cache'),
    socket: join(run, 'libvirt/libvirt-sock'),
    script: join(directory, 'keeper.sh'),
    keeper: join(directory, 'keeper.json'),
    keeperPid: join(directory, 'keeper.pid'),
    libvirtdPid: join(directory, 'libvirtd.pid'),
  };
}

/**
 * Where QEMU's user cannot read /dev/kvm, or owners are remembered in attributes that the file system lacks, libvirt
 * probes QEMU anew at every call: 48 s for a create instead of 0.3 s. Without control groups nothing of a killed VM stays
 * behind in /sys.
 */
const qemuConf = ['user = "root"', 'group = "root"', 'security_driver = "none"', 'remember_owner = 0', 'cgroup_controllers = []'];

/** No one but root may connect: whoever commands this libvirtd commands the machine. */
const libvirtdConf = [
  'auth_unix_rw = "none"',
  'auth_unix_ro = "none"',
  'unix_sock_rw_perms = "0700"',
  'unix_sock_ro_perms = "0700"',
  'unix_sock_admin_perms = "0700"',
  'log_outputs = "3:stderr"',
];

const write = (path: string, lines: readonly string[]): void => writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 });

/** Lays out the folders and configuration. What a former start has written there stays as it is, the host's id above all. */
export function prepareLibvirtFiles(directory: string): LibvirtFiles {
  const files = libvirtFiles(directory);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // The console of a domain is locked below /run/lock: libvirt fails where that folder is missing.
  for (const folder of [join(files.run, 'libvirt'), join(files.run, 'lock'), files.etc, files.lib, files.log, files.cache]) {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
  }
  write(join(files.etc, 'qemu.conf'), qemuConf);
  const hostId = join(directory, 'host-uuid');
  if (!existsSync(hostId)) write(hostId, [randomUUID()]);
  write(join(files.etc, 'libvirtd.conf'), [...libvirtdConf, `host_uuid = "${readFileSync(hostId, 'utf8').trim()}"`]);
  copyFileSync(fileURLToPath(import.meta.resolve('./libvirt-keeper.sh')), files.script);
  return files;
}

/** A VM of a libvirtd of ours, found without asking libvirtd. */
export interface RunningQemu {
  readonly domain: string;
  readonly pid: number;
}

/** @returns the VMs that run, also where libvirtd does not. Blind towards a libvirtd in a pid namespace of its own. */
export function listRunningQemus(directory: string): readonly RunningQemu[] {
  const folder = join(libvirtFiles(directory).run, 'libvirt/qemu');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.pid'))
    .map((name) => ({ domain: name.slice(0, -'.pid'.length), pid: readPid(join(folder, name)) }))
    .filter(({ pid }) => {
      const stat = readProcessStat(pid);
      return stat !== undefined && stat.name.startsWith('qemu') && stat.state !== 'Z';
    });
}

/** @returns the process number in a pid file, 0 where there is none */
export function readPid(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8').trim()) || 0;
  } catch {
    return 0;
  }
}
