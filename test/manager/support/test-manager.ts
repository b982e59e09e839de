import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildManager } from '../../../manager/server/build-manager.ts';
import { managerCommand } from '../../../manager/server/manager-command.ts';
import { inheritedEnvironment } from '../../../temporal/config/inherited-environment.ts';
import { checkoutDir } from '../../../temporal/config/load-config.ts';
import { pollUntil } from '../../../temporal/supervisor/poll-until.ts';
import { startChild, type Child } from '../../../temporal/supervisor/start-child.ts';

export interface TestManager {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  readonly process: Child;
  stop(): Promise<void>;
}

/** The build of the sources as they are now. */
export const currentBuild = () => buildManager({ checkoutDir, environment: inheritedEnvironment(), log: () => undefined });

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('No port is free');
  return address.port;
}

/** Builds the manager where that is needed, and runs it as the supervisor would. */
export async function startTestManager(apiUrl: string, wantedPort?: number): Promise<TestManager> {
  const { dir } = await currentBuild();
  const port = wantedPort ?? (await freePort());
  const folder = mkdtempSync(join(tmpdir(), 'cloudlet-manager-'));
  const { argv, environment } = managerCommand({ dir, node: process.execPath, port, apiUrl });
  const child = startChild({ argv, environment: { ...inheritedEnvironment(), ...environment }, logPath: join(folder, 'manager.log') });
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    await child.stop();
    await rm(folder, { recursive: true, force: true });
  };
  if (await pollUntil(async () => (await fetch(`${url}/health`)).ok, { deadlineMs: 30_000 })) return { url, port, process: child, stop };
  await stop();
  throw new Error('The manager did not start');
}
