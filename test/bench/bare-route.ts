/**
 * The floor for an answer from the database: a Fastify route that runs one prepared SELECT and sends the body that our
 * route sends. Run as a process of its own: DATABASE URL and SQL as arguments; tells its parent the port.
 */
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { Pool } from 'pg';

const [databaseUrl, sql] = process.argv.slice(2) as [string, string];
const pool = new Pool({ connectionString: databaseUrl, max: 16 });
const app = fastify();
app.get('/', async () => {
  const { rows } = await pool.query<{ body: unknown }>({ name: 'services', text: sql });
  return rows[0]!.body;
});
await app.listen({ host: '127.0.0.1', port: 0 });
process.send?.((app.server.address() as AddressInfo).port);
