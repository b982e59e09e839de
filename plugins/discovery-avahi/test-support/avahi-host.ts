/** A real dbus-daemon and a real avahi-daemon on one machine of a test network, each of which can crash and come back. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from './wait-for.ts';
import { dbusAddressIn, startDbusDaemon } from './dbus-daemon.ts';
import type { TestMachine } from './test-network.ts';
import { run, startProcess, type TestProcess } from './test-process.ts';

export interface AvahiHost {
  /** In the form that dbus-next and libdbus both know. */
  readonly dbusAddress: string;
  startBus(): Promise<void>;
  killBus(): Promise<void>;
  /** Has it hang, until it is killed. */
  freezeBus(): void;
  /** Resolves when it has settled on its host name. */
  startAvahi(): Promise<void>;
  killAvahi(): Promise<void>;
  /** Has it hang, until it is killed. */
  freezeAvahi(): void;
  /** What `avahi-browse` finds: one line per resolved service. */
  browse(type: string): Promise<readonly string[]>;
  /** Calls a method of Avahi's server object, e.g. `SetHostName string:other`. */
  callServer(member: string, ...parameters: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Few objects per client, so that a test notices what is not given back. */
const avahiConfiguration = (hostName: string, networkInterface: string): string => `[server]
host-name=${hostName}
use-ipv6=no
allow-interfaces=${networkInterface}
objects-per-client-max=6
[publish]
publish-hinfo=no
publish-workstation=no
`;

/** Neither daemon runs yet. `hostName` is the machine's, as Avahi will claim it. */
export async function createAvahiHost(machine: TestMachine, hostName: string, networkInterface: string): Promise<AvahiHost> {
  const directory = await mkdtemp(join(tmpdir(), 'cloudlet-avahi-'));
  const dbusAddress = dbusAddressIn(directory);
  const environment = { DBUS_SYSTEM_BUS_ADDRESS: dbusAddress };
  await writeFile(join(directory, 'avahi.conf'), avahiConfiguration(hostName, networkInterface));
  let bus: TestProcess | undefined;
  let avahi: TestProcess | undefined;

  const host: AvahiHost = {
    dbusAddress,
    async startBus() {
      bus = await startDbusDaemon({ directory });
    },
    async killBus() {
      await bus?.kill();
      bus = undefined;
    },
    freezeBus() {
      if (bus !== undefined) process.kill(bus.pid, 'SIGSTOP');
    },
    async startAvahi() {
      // It insists on /run/avahi-daemon, so each gets a /run of its own.
      const script = `mount -t tmpfs tmpfs /run && mkdir /run/avahi-daemon && exec avahi-daemon -f ${join(directory, 'avahi.conf')} --no-drop-root --no-chroot`;
      const started = await startProcess(machine.on(['unshare', '--mount', 'sh', '-c', script]), environment);
      avahi = started;
      await waitFor(() => started.output().includes('Server startup complete'), { what: `avahi-daemon: ${started.output()}` });
    },
    async killAvahi() {
      await avahi?.kill();
      avahi = undefined;
    },
    freezeAvahi() {
      if (avahi !== undefined) process.kill(avahi.pid, 'SIGSTOP');
    },
    async browse(type) {
      const [command, ...parameters] = machine.on(['avahi-browse', '--parsable', '--resolve', '--terminate', type]);
      const { stdout } = await run(command, parameters, { env: { ...process.env, ...environment } });
      return stdout.split('\n').filter((line) => line.startsWith('='));
    },
    async callServer(member, ...parameters) {
      const target = ['--dest=org.freedesktop.Avahi', '/', `org.freedesktop.Avahi.Server.${member}`];
      await run('dbus-send', [`--bus=${dbusAddress}`, '--print-reply', ...target, ...parameters]);
    },
    async stop() {
      await host.killAvahi();
      await host.killBus();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return host;
}
