/** A cloudlet as `npm start` runs it, with its own supervisor, in a data directory of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, readdirSync } from 'node:fs';
import { cp, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '../../temporal/cli/api-client.ts';
import { inheritedEnvironment } from '../../temporal/config/inherited-environment.ts';
import { checkoutDir, loadConfig } from '../../temporal/config/load-config.ts';
import type { Config } from '../../temporal/config/settings.ts';
import { assignPorts } from '../../temporal/local/assign-ports.ts';
import { prepareDataDir } from '../../temporal/local/data-dir.ts';
import { pollUntil } from '../../temporal/supervisor/poll-until.ts';
import { readCommandLine, readProcessStat } from '../../temporal/supervisor/process-identity.ts';

export class StartedCloudlet {
  readonly config: Config;
  readonly admin: ApiClient;
  readonly #environment: Record<string, string>;
  readonly #undertaker: ChildProcess;
  #supervisor: ChildProcess | undefined;

  private constructor(config: Config, environment: Record<string, string>) {
    this.config = config;
    this.#environment = environment;
    this.#undertaker = spawnUndertaker(config.dataDir, { ...inheritedEnvironment(), ...environment });
    this.admin = new ApiClient(config);
  }

  /** @param environment settings beside the usual ones */
  static async create(environment: Readonly<Record<string, string>> = {}): Promise<StartedCloudlet> {
    const root = await mkdtemp(join(tmpdir(), 'cloudlet-run-'));
    const settings = {
      CLOUDLET_DATA_DIR: root,
      CLOUDLET_API_HOST: '127.0.0.1',
      CLOUDLET_API_PORT: '0',
      CLOUDLET_MANAGER_PORT: '0',
      CLOUDLET_NETWORK_ADAPTER: 'lo',
      CLOUDLET_DOMAIN_PREFIX: `cloudlet-run-${process.pid}-`,
      CLOUDLET_GUEST_PORTS: '30000-30999',
      CLOUDLET_PLUGINS: 'security-open',
      ...environment,
    };
    const { config } = loadConfig({ environment: settings });
    const dataDir = prepareDataDir(root);
    // Downloaded once for all of them.
    await cp(join(checkoutDir, '.cloudlet', 'bin'), dataDir.bin, { recursive: true }).catch(() => undefined);
    const assigned = await assignPorts(config, dataDir.run);
    return new StartedCloudlet(assigned, {
      ...settings,
      CLOUDLET_API_PORT: String(assigned.apiPort),
      CLOUDLET_MANAGER_PORT: String(assigned.managerPort),
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.config.apiPort}`;
  }

  /** @returns ms from the command to ready */
  async start(): Promise<number> {
    const startedAt = performance.now();
    const supervisor = this.#run('start');
    this.#supervisor = supervisor;
    const ready = await pollUntil(() => supervisor.exitCode !== null || this.admin.isReady(), { deadlineMs: 300_000, everyMs: 20 });
    if (!ready || supervisor.exitCode !== null) {
      const said = await readFile(join(this.config.dataDir, 'run.log'), 'utf8');
      throw new Error(`The cloudlet did not start. It said:\n${said}`);
    }
    return performance.now() - startedAt;
  }

  /** What the running start told its processes. */
  async databaseUrl(): Promise<string> {
    return (await this.#environmentOfApi())['DATABASE_URL']!;
  }

  async temporalAddress(): Promise<string> {
    return (await this.#environmentOfApi())['TEMPORAL_ADDRESS']!;
  }

  async libvirtUri(): Promise<string> {
    return (await this.#environmentOfApi())['LIBVIRT_URI']!;
  }

  /** As Ctrl-C does: Service VMs run on. */
  async interrupt(): Promise<void> {
    const supervisor = this.#supervisor;
    if (!supervisor || supervisor.exitCode !== null) return;
    const ended = new Promise((resolve) => supervisor.once('exit', resolve));
    supervisor.kill('SIGINT');
    await ended;
  }

  /** Ends everything and removes the data directory. */
  async remove(): Promise<void> {
    await this.interrupt();
    const buried = new Promise((resolve) => this.#undertaker.once('exit', resolve));
    this.#undertaker.stdin!.end();
    await buried;
  }

  /** Resident memory of our own processes by name, MiB. */
  async residentMib(): Promise<Record<string, number>> {
    const supervisor = this.#supervisor!.pid!;
    const ours = readdirSync('/proc')
      .map(Number)
      .filter(
        (pid) =>
          pid === supervisor || (readProcessStat(pid)?.parentPid === supervisor && /main\.ts|next-server/.test(readCommandLine(pid))),
      );
    const sizes: Record<string, number> = {};
    for (const pid of ours) {
      const command = readCommandLine(pid);
      const name = pid === supervisor ? 'supervisor' : command.startsWith('next-server') ? 'manager' : command.split(' ').at(-1)!;
      const status = await readFile(`/proc/${pid}/status`, 'utf8');
      sizes[name] = Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) / 1024;
    }
    return sizes;
  }

  async #environmentOfApi(): Promise<Record<string, string>> {
    const api = readdirSync('/proc')
      .map(Number)
      .find((pid) => readProcessStat(pid)?.parentPid === this.#supervisor!.pid && readCommandLine(pid).endsWith('main.ts api'));
    const text = await readFile(`/proc/${api}/environ`, 'utf8');
    return Object.fromEntries(text.split('\0').map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
  }

  #run(...args: string[]): ChildProcess {
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', process.execPath, join(checkoutDir, 'temporal', 'main.ts'), ...args], {
      // The cache as `npm start` has it.
      env: { ...inheritedEnvironment(), NODE_COMPILE_CACHE: join(checkoutDir, 'node_modules/.cache/node'), ...this.#environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log = createWriteStream(join(this.config.dataDir, 'run.log'), { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    return child;
  }
}

/**
 * Waits for us to close its input, or to be killed, and then ends everything of a cloudlet and removes its folder. It is
 * in a session of its own, so that a Ctrl-C does not reach it.
 */
function spawnUndertaker(root: string, env: NodeJS.ProcessEnv): ChildProcess {
  const script = 'cat >/dev/null; "$@"; rm -rf "$0"';
  const stop = [process.execPath, join(checkoutDir, 'temporal', 'main.ts'), 'stop', '--vms'];
  return spawn('sh', ['-c', script, root, ...stop], { env, stdio: ['pipe', 'ignore', 'ignore'], detached: true });
}
