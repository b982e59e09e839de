import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inheritedEnvironment } from '../config/inherited-environment.ts';
import { type Child, startChild, waitUntilReady } from '../supervisor/start-child.ts';
import { busNameHasOwner, dbusAddress, dbusSocketDir, dbusSocketName } from './start-dbus.ts';

export interface AvahiOptions {
  readonly directory: string;
  /** Folder of the bus that `startDbus` started. */
  readonly dbusDirectory: string;
  readonly logPath: string;
  /** For tests: speak on this interface alone, by IPv4. */
  readonly onlyInterface?: string;
  readonly signal?: AbortSignal;
}

export const avahiBusName = 'org.freedesktop.Avahi';

const daemonConfig = (onlyInterface: string | undefined): string =>
  [
    '[server]',
    'use-ipv4=yes',
    ...(onlyInterface === undefined ? ['use-ipv6=yes'] : ['use-ipv6=no', `allow-interfaces=${onlyInterface}`]),
    'ratelimit-interval-usec=1000000',
    'ratelimit-burst=1000',
    '[wide-area]',
    'enable-wide-area=no',
    '[publish]',
    'publish-hinfo=no',
    'publish-workstation=no',
    '',
  ].join('\n');

/** avahi-daemon knows no other place for its own files than /run, and drops to a user who cannot pass closed folders. */
const inPrivateRun = 'mount --bind "$2" "$1/dbus" && mount --rbind "$1" /run && exec avahi-daemon --file /run/avahi-daemon.conf';

/**
 * Starts an Avahi of our own on a bus of our own, without touching the host's /run, and waits until it is on the bus. It
 * ends with its bus: the signal of our death does not survive its change of user.
 */
export async function startAvahi(options: AvahiOptions): Promise<{ readonly child: Child }> {
  const { directory, dbusDirectory, logPath, onlyInterface, signal } = options;
  const run = join(directory, 'run');
  mkdirSync(join(run, 'dbus'), { recursive: true, mode: 0o755 });
  writeFileSync(join(run, 'avahi-daemon.conf'), daemonConfig(onlyInterface));
  const child = startChild({
    argv: ['unshare', '--mount', '--', 'sh', '-c', inPrivateRun, 'sh', run, dbusSocketDir(dbusDirectory)],
    environment: { ...inheritedEnvironment(), DBUS_SYSTEM_BUS_ADDRESS: dbusAddress(`/run/dbus/${dbusSocketName}`) },
    logPath,
  });
  const address = dbusAddress(join(dbusSocketDir(dbusDirectory), dbusSocketName));
  await waitUntilReady(child, {
    title: 'Avahi',
    logPath,
    deadlineMs: 15_000,
    ...(signal && { signal }),
    isReady: () => busNameHasOwner(address, avahiBusName),
  });
  return { child };
}
