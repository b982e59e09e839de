import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inheritedEnvironment } from '../config/inherited-environment.ts';
import { runProgram } from '../supervisor/run-program.ts';
import { type Child, startChild, waitUntilReady } from '../supervisor/start-child.ts';

export interface DbusOptions {
  /** Folder of this bus alone; nobody but root reaches the socket in it. */
  readonly directory: string;
  readonly logPath: string;
  readonly signal?: AbortSignal;
}

export interface Dbus {
  readonly address: string;
  readonly child: Child;
}

/** Folder of the socket, open to those who get it mounted: avahi-daemon, which does not stay root. */
export const dbusSocketDir = (directory: string): string => join(directory, 'run');
export const dbusSocketName = 'bus';

/** @returns a D-Bus address; bytes that mean something in one are written as the specification says, e.g. `%20` */
export const dbusAddress = (socketPath: string): string =>
  `unix:path=${encodeURIComponent(socketPath)
    .replaceAll('%2F', '/')
    .replaceAll(/[!'()~]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`)}`;

const escapeXml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

const busConfig = (address: string): string => `<busconfig>
  <listen>${escapeXml(address)}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
`;

/** Whether somebody on this bus owns the name. */
export async function busNameHasOwner(address: string, name: string): Promise<boolean> {
  const call = ['--print-reply=literal', '--reply-timeout=2000', '--dest=org.freedesktop.DBus', '/org/freedesktop/DBus'];
  const argv = ['dbus-send', `--bus=${address}`, ...call, 'org.freedesktop.DBus.NameHasOwner', `string:${name}`] as const;
  const { stdout } = await runProgram(argv, { environment: inheritedEnvironment(), timeoutMs: 5000 });
  return stdout.includes('boolean true');
}

/** Starts a message bus of our own and waits until it answers. */
export async function startDbus({ directory, logPath, signal }: DbusOptions): Promise<Dbus> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  mkdirSync(dbusSocketDir(directory), { recursive: true, mode: 0o755 });
  const socket = join(dbusSocketDir(directory), dbusSocketName);
  const address = dbusAddress(socket);
  const config = join(directory, 'bus.conf');
  rmSync(socket, { force: true });
  writeFileSync(config, busConfig(address), { mode: 0o600 });
  const child = startChild({
    argv: ['dbus-daemon', `--config-file=${config}`, '--nofork', '--nopidfile', '--nosyslog'],
    environment: inheritedEnvironment(),
    logPath,
  });
  await waitUntilReady(child, {
    title: 'D-Bus',
    logPath,
    deadlineMs: 10_000,
    ...(signal && { signal }),
    isReady: () => busNameHasOwner(address, 'org.freedesktop.DBus'),
  });
  return { address, child };
}
