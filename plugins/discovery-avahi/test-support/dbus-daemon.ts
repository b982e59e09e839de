/** A real dbus-daemon on a socket of its own. */
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startProcess, type TestProcess } from './test-process.ts';
import { waitFor } from './wait-for.ts';

export interface DbusDaemonSettings {
  /** Where its socket and configuration lie. */
  readonly directory: string;
  /** Connections that it takes from one user. */
  readonly maximumConnections?: number;
}

const configuration = (socket: string, maximumConnections: number): string => `<busconfig>
  <type>session</type>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>
  <limit name="max_connections_per_user">${maximumConnections}</limit>
</busconfig>
`;

export const dbusAddressIn = (directory: string): string => `unix:path=${join(directory, 'bus')}`;

/** Takes the place of one that was killed, too. Resolves when it can be connected to. */
export async function startDbusDaemon({ directory, maximumConnections = 100 }: DbusDaemonSettings): Promise<TestProcess> {
  const socket = join(directory, 'bus');
  const file = join(directory, 'bus.conf');
  await writeFile(file, configuration(socket, maximumConnections));
  await rm(socket, { force: true });
  const daemon = await startProcess(['dbus-daemon', `--config-file=${file}`, '--nofork', '--nopidfile']);
  await waitFor(() => existsSync(socket), { what: 'the socket of dbus-daemon' });
  return daemon;
}
