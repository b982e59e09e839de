import { join } from 'node:path';
import type { Pool } from 'pg';
import { MikroORM, defineConfig, type EntityManager } from '@mikro-orm/postgresql';
import { Migrator } from '@mikro-orm/migrations';
import { entities } from './entities.ts';
import { giveBackBroken } from './give-back-broken.ts';

const folder = join(import.meta.dirname, 'migrations');

export interface PoolOptions {
  /** Connections at most. */
  readonly poolSize?: number;
  /** A database that cannot be reached, or does not answer, is said to be away after this long instead of being waited for. */
  readonly answerTimeoutMs?: number;
  /** Told of the pool of connections when it is made. */
  readonly onPool?: (pool: Pool) => void;
}

/** What both the running store and `npm run migration:*` use: one description of the database. */
export const ormOptions = (databaseUrl: string, { poolSize = 10, answerTimeoutMs = 10_000, onPool }: PoolOptions = {}) =>
  defineConfig({
    clientUrl: databaseUrl,
    entities,
    extensions: [Migrator],
    pool: { min: 0, max: poolSize },
    driverOptions: {
      connectionTimeoutMillis: answerTimeoutMs,
      query_timeout: answerTimeoutMs,
      keepAlive: true,
      onPoolCreated: (pool: Pool) => {
        giveBackBroken(pool);
        onPool?.(pool);
      },
    },
    // Errors are thrown; what else the library has to say is not for the log of a server.
    logger: () => undefined,
    discovery: { warnWhenNoEntities: false },
    migrations: {
      path: folder,
      pathTs: folder,
      glob: '!(*.d).ts',
      snapshot: true,
      snapshotName: '.snapshot',
      // The sources of a running server are not its own to write.
      snapshotOnMigrate: false,
      safe: true,
      allOrNothing: true,
    },
  });

export type Orm = Awaited<ReturnType<typeof openOrm>>;
export type { EntityManager };

/** Connects lazily: the first query does. */
export const openOrm = (databaseUrl: string, pool?: PoolOptions) => MikroORM.init(ormOptions(databaseUrl, pool));
