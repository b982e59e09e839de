import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, QueryResultRow } from 'pg';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { writeEvents } from './events.ts';
import { openOrm, type EntityManager, type Orm, type PoolOptions } from './orm.ts';
import { openSteadyClock, type SteadyClock } from './steady-clock.ts';

/** The database, opened. One per process. */
export interface Store {
  readonly orm: Orm;
  readonly clock: SteadyClock;
  /** A unit of work of one's own. Reads need no transaction; never share it between requests. */
  fork(): EntityManager;
  /**
   * A read that many ask for: its statement is parsed and planned once a connection, and the unit of work is left out.
   * @throws CloudletError `store-unavailable`
   */
  read<Row extends QueryResultRow>(statement: PreparedStatement): Promise<Row[]>;
  /**
   * Runs `work` in one transaction, and writes the events that it appended; repeats it when the database asks for that
   * (deadlock, serialization).
   */
  transaction<T>(work: (em: EntityManager) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** With `$1`, `$2`, … for its values; the name stands for this very text. */
export interface PreparedStatement {
  readonly name: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

export interface StoreOptions extends Omit<PoolOptions, 'onPool'> {
  readonly databaseUrl: string;
}

/**
 * Connects and brings the schema up to date; processes that start at the same time take turns.
 * @throws CloudletError `store-unavailable`
 */
export async function openStore({ databaseUrl, ...options }: StoreOptions): Promise<Store> {
  let pool: Pool | undefined;
  const orm = await openOrm(databaseUrl, {
    ...options,
    onPool: (made) => {
      pool = made;
    },
  });
  try {
    await migrate(orm);
    const clock = await openSteadyClock(orm.em.fork());
    return {
      orm,
      clock,
      fork: () => orm.em.fork(),
      read: (statement) => runPrepared(pool!, statement),
      transaction: (work) => runTransaction(orm, work),
      close: () => orm.close(true),
    };
  } catch (error) {
    await orm.close(true);
    throw asStoreError(error);
  }
}

async function runPrepared<Row extends QueryResultRow>(pool: Pool, { name, text, values = [] }: PreparedStatement): Promise<Row[]> {
  try {
    return (await pool.query<Row>({ name, text, values: [...values] })).rows;
  } catch (error) {
    throw asStoreError(error);
  }
}

/** Number that names the lock under which migrations run. */
const migrationLock = 7_263_015;

async function migrate(orm: Orm): Promise<void> {
  await orm.em.fork().transactional(async (em) => {
    await em.execute('select pg_advisory_xact_lock(?)', [migrationLock]);
    await orm.migrator.up();
  });
}

const attempts = 4;
const repeatAfterMs = 10;
const repeatable = new Set(['40001', '40P01']);

async function runTransaction<T>(orm: Orm, work: (em: EntityManager) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await orm.em.fork().transactional(async (em) => {
        const answer = await work(em);
        await writeEvents(em);
        return answer;
      });
    } catch (error) {
      if (attempt === attempts || !repeatable.has(sqlState(error) ?? '')) throw asStoreError(error);
      // Whoever it met goes first: without a pause the two would meet again.
      await sleep(attempt * repeatAfterMs * (1 + Math.random()));
    }
  }
}

/** SQLSTATE of a database error, wherever the driver put it. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** The system's words for nobody there, the resolver's among them, and PostgreSQL's for too many connections. */
const awayCodes = new Set(
  'ECONNREFUSED ECONNRESET ECONNABORTED EHOSTUNREACH ENETUNREACH EPIPE ETIMEDOUT ENOTFOUND EAI_AGAIN 53300'.split(' '),
);

/** Connection faults of the socket and of PostgreSQL's classes 08 (connection, less what we said wrong) and 57P (shutdown). */
const isConnectionFault = (code: string | undefined): boolean =>
  code !== undefined && (/^(08(?!P01)|57P)/.test(code) || awayCodes.has(code));

/** Of a database that is reached by a socket file; other files may be missing, too. */
const isNoSocket = (error: unknown): boolean => {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'ENOENT' && syscall === 'connect';
};

/** Names a lost database `store-unavailable`; everything else passes as it is. */
export function asStoreError(error: unknown): unknown {
  if (error instanceof CloudletError) return error;
  const text = error instanceof Error ? error.message : '';
  if (
    isConnectionFault(sqlState(error)) ||
    isNoSocket(error) ||
    /Connection terminated|Client was closed|Client has encountered a connection error|timeout exceeded when trying to connect|Query read timeout/i.test(
      text,
    )
  ) {
    return new CloudletError(
      'store-unavailable',
      'The database does not answer. It is usually back within seconds; ask again.',
      { retryAfterSeconds: 2 },
      { cause: error },
    );
  }
  return error;
}
