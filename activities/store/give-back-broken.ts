import type { Pool, PoolClient } from 'pg';

/** What begins and ends a transaction; Kysely gives its connection back only when these succeed. */
const framing = /^(begin|start transaction|rollback)\b/i;

/**
 * Gives connections back to the pool that died in a transaction. Kysely keeps the one whose `begin` or `rollback` fails
 * (https://github.com/kysely-org/kysely/issues/1990), so that after a few crashes of the database none would be left.
 * A connection that did not answer in time is closed, too: nobody knows in what state it is.
 */
export function giveBackBroken(pool: Pool): void {
  pool.on('connect', (client: PoolClient) => {
    const query = client.query.bind(client) as (...given: unknown[]) => unknown;
    const guarded = (...given: unknown[]): unknown => {
      const [sql] = given;
      const asked = query(...given);
      if (typeof sql === 'string' && asked instanceof Promise) asked.catch((error: Error) => giveUp(client, sql, error));
      return asked;
    };
    Object.assign(client, { query: guarded });
  });
}

function giveUp(client: PoolClient & { end?: () => Promise<void> }, sql: string, error: Error): void {
  if (framing.test(sql)) client.release(error);
  else if (error.message === 'Query read timeout') client.end?.().catch(() => undefined);
}
