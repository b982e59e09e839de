import { ormOptions } from './activities/store/orm.ts';

/** For the MikroORM command line only (`npm run migration:create`); the server passes its own database. */
export default ormOptions(process.env.DATABASE_URL ?? 'postgresql://localhost/cloudlet');
