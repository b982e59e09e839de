import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { inheritedEnvironment } from '../config/inherited-environment.ts';
import { runProgram } from '../supervisor/run-program.ts';
import { type Child, startChild, waitUntilReady } from '../supervisor/start-child.ts';
import type { TemporalBinary } from './find-temporal.ts';

export interface TemporalOptions {
  readonly binary: TemporalBinary;
  readonly namespace: string;
  readonly logPath: string;
  /** Of the frontend, on 127.0.0.1. */
  readonly port: number;
  /** Of Temporal UI, on 127.0.0.1; absent = no UI. */
  readonly uiPort?: number;
  /** Folder of its state; absent = in memory, for tests. */
  readonly directory?: string;
  readonly signal?: AbortSignal;
}

export interface Temporal {
  /** host:port of the frontend. */
  readonly address: string;
  readonly uiUrl?: string;
  readonly child: Child;
}

/** What Temporal UI filters by. Never anything secret or personal: these are not encrypted. */
export const searchAttributes = {
  CloudletServiceVm: 'Keyword',
  CloudletService: 'Keyword',
  CloudletOperation: 'Keyword',
  CloudletHost: 'Keyword',
  CloudletPhase: 'Keyword',
} as const;

/** Closed workflows stay readable, and their ids taken, for so long. The server's own default is one day. */
const retention = '720h';

/**
 * By default one shard asks each of its queues 20 times a second, so that every task waits 50 ms. With these and a
 * write-ahead log a workflow of one activity takes 39 ms instead of 100 ms.
 */
const dynamicConfig = {
  'history.transferProcessorMaxPollRPS': 2000,
  'history.timerProcessorMaxPollRPS': 2000,
  'history.visibilityProcessorMaxPollRPS': 2000,
} as const;

/** A crash of the server loses nothing; a power cut may lose the last commits, never the file. */
const sqlitePragmas = { journal_mode: 'wal', synchronous: 'normal' } as const;

const repeated = (flag: string, pairs: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(pairs).flatMap(([name, value]) => [flag, `${name}=${value}`]);

function serverFlags(options: TemporalOptions): string[] {
  const storage =
    options.directory === undefined
      ? []
      : ['--db-filename', join(options.directory, 'temporal.db'), ...repeated('--sqlite-pragma', sqlitePragmas)];
  const ui = options.uiPort === undefined ? ['--headless'] : ['--ui-port', String(options.uiPort), '--ui-disable-news-fetch'];
  return [
    '--ip=127.0.0.1',
    `--port=${options.port}`,
    `--namespace=${options.namespace}`,
    '--log-level=error',
    ...repeated('--dynamic-config-value', dynamicConfig),
    ...repeated('--search-attribute', searchAttributes),
    ...storage,
    ...ui,
  ];
}

/**
 * Starts Temporal's single-node server on loopback and waits until our namespace can be used.
 *
 * @throws CloudletError `internal` with the end of its log where it does not come up
 */
export async function startTemporal(options: TemporalOptions): Promise<Temporal> {
  const { binary, namespace, logPath, port, uiPort, directory, signal } = options;
  if (directory !== undefined) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const environment = inheritedEnvironment();
  const address = `127.0.0.1:${port}`;
  const child = startChild({ argv: [binary.path, 'server', 'start-dev', ...serverFlags(options)], environment, logPath });
  // Setting the retention proves that the namespace is there and can be written.
  const update = [
    binary.path,
    'operator',
    'namespace',
    'update',
    '--namespace',
    namespace,
    '--retention',
    retention,
    '--address',
    address,
  ] as const;
  await waitUntilReady(child, {
    title: 'Temporal',
    logPath,
    deadlineMs: 30_000,
    ...(signal && { signal }),
    isReady: async () => (await runProgram(update, { environment, timeoutMs: 5000 })).status === 0,
  });
  return { address, child, ...(uiPort !== undefined && { uiUrl: `http://127.0.0.1:${uiPort}` }) };
}
