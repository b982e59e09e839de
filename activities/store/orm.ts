import { join } from 'node:path';
import { MikroORM, defineConfig, type EntityManager } from '@mikro-orm/postgresql';
import { Migrator } from '@mikro-orm/migrations';
import { entities } from './entities.ts';

const folder = join(import.meta.dirname, 'migrations');

/** What both the running store and `npm run migration:*` use: one description of the database. */
export const ormOptions = (databaseUrl: string, poolSize = 10) =>
  defineConfig({
    clientUrl: databaseUrl,
    entities,
    extensions: [Migrator],
    pool: { min: 0, max: poolSize },
    // Errors are thrown; what else the library has to say is not for the log of a server.
    logger: () => undefined,
    discovery: { warnWhenNoEntities: false },
    migrations: {
      path: folder,
      pathTs: folder,
      glob: '!(*.d).ts',
      snapshot: true,
      snapshotName: '.snapshot',
      safe: true,
      allOrNothing: true,
    },
  });

export type Orm = Awaited<ReturnType<typeof openOrm>>;
export type { EntityManager };

/** Connects lazily: the first query does. */
export const openOrm = (databaseUrl: string, poolSize?: number) => MikroORM.init(ormOptions(databaseUrl, poolSize));
