import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './until.ts';

const run = promisify(execFile);

/** Everything the daemons keep on disk, and where they look for it. */
const privateDirectories = {
  run: '/run',
  state: '/var/lib/libvirt',
  configuration: '/etc/libvirt',
  log: '/var/log/libvirt',
  cache: '/var/cache/libvirt',
} as const;

/**
 * A real libvirtd, as a host of its own: private mount, pid, UTS and network namespaces, private directories.
 *
 * Its pid 1 reaps orphans at once (libvirtd waits until a dead QEMU has been reaped), and when it ends, all that ran under it
 * ends. It dies with this process, however that ends.
 */
export class LibvirtHost {
  readonly directory: string;
  readonly #namespaces: ChildProcess;
  #initPid: number | undefined;

  private constructor(directory: string, namespaces: ChildProcess) {
    this.directory = directory;
    this.#namespaces = namespaces;
  }

  static async start(name: string): Promise<LibvirtHost> {
    const directory = await mkdtemp(join(tmpdir(), `node-libvirt-${name}-`));
    await prepareDirectories(directory, name);
    // setpriv: the kernel ends unshare, and by --kill-child all below it, when this process is gone.
    const command = [
      '--pdeathsig',
      'KILL',
      'unshare',
      '-m',
      '-p',
      '-u',
      '-n',
      '-f',
      '--kill-child',
      '--mount-proc',
      'bash',
      join(directory, 'init.sh'),
    ];
    const namespaces = spawn('setpriv', command, { stdio: 'ignore' });
    const host = new LibvirtHost(directory, namespaces);
    try {
      await until(`the namespaces of ${name}`, () => existsSync(join(directory, 'ready')));
      host.#initPid = await childOf(namespaces.pid);
      await host.startDaemon();
      return host;
    } catch (error) {
      await host.stop();
      throw error;
    }
  }

  get socket(): string {
    return join(this.directory, 'run/libvirt/libvirt-sock');
  }

  get uri(): string {
    return `qemu+unix:///system?socket=${this.socket}`;
  }

  /** Where a file of /var/lib/libvirt lies for this process. */
  statePath(...names: string[]): string {
    return join(this.directory, 'state', ...names);
  }

  /** Starts libvirtd and waits until it answers. */
  async startDaemon(): Promise<void> {
    await this.exec('libvirtd', '-d', '-p', '/run/libvirtd.pid');
    await until('libvirtd', () => existsSync(this.socket));
  }

  /** Sends libvirtd a signal, and for SIGKILL waits until it is gone. */
  async signalDaemon(signal: 'KILL' | 'STOP' | 'CONT'): Promise<void> {
    const pid = (await readFile(join(this.directory, 'run/libvirtd.pid'), 'utf8')).trim();
    await this.exec('kill', `-${signal}`, pid);
  }

  /** Runs a command inside. */
  async exec(command: string, ...args: string[]): Promise<string> {
    const inside = ['-t', String(this.#initPid), '-m', '-p', '-u', '-n', '--', command, ...args];
    const { stdout } = await run('nsenter', inside, { timeout: 30_000 });
    return stdout;
  }

  /** Ends everything that runs inside and removes the directories. May be called again. */
  async stop(): Promise<void> {
    if (this.#namespaces.exitCode === null && this.#namespaces.signalCode === null) {
      const ended = new Promise((resolve) => this.#namespaces.once('exit', resolve));
      this.#namespaces.kill('SIGKILL');
      await ended;
    }
    await rm(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

async function prepareDirectories(directory: string, name: string): Promise<void> {
  for (const part of Object.keys(privateDirectories)) await mkdir(join(directory, part));
  await mkdir(join(directory, 'state/images'));
  const configuration = join(directory, 'configuration');
  await cp('/etc/libvirt', configuration, { recursive: true });
  await rm(join(configuration, 'qemu/networks/autostart'), { recursive: true, force: true });
  await writeFile(join(configuration, 'qemu.conf'), 'user = "root"\ngroup = "root"\nremember_owner = 0\nsecurity_driver = "none"\n');
  await writeFile(
    join(configuration, 'libvirtd.conf'),
    `host_uuid = "${crypto.randomUUID()}"\nauth_unix_rw = "none"\nkeepalive_interval = 1\n`,
  );
  await writeFile(join(directory, 'hosts'), `127.0.0.1 localhost ${name}\n`);
  const mounts = Object.entries(privateDirectories).map(([part, target]) => `mount --bind ${directory}/${part} ${target}`);
  const init = `set -e
hostname ${name}
ip link set lo up
mount --make-rprivate /
${mounts.join('\n')}
mount --bind ${directory}/hosts /etc/hosts
mkdir -p /run/lock /run/libvirt
virtlogd -d -p /run/virtlogd.pid
touch ${directory}/ready
while :; do sleep 3600 & wait $!; done
`;
  await writeFile(join(directory, 'init.sh'), init);
}

/** unshare's child is pid 1 of the new namespace. */
async function childOf(pid: number | undefined): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return Number.parseInt(children, 10);
}
