import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTestDataDir } from '../../test/support/local-parts.ts';
import { pollUntil } from '../supervisor/poll-until.ts';
import { readProcessStat } from '../supervisor/process-identity.ts';
import type { DataDir } from './data-dir.ts';
import { startPostgres } from './start-postgres.ts';

async function query(url: string, text: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows.map((row) => Object.values(row)[0]);
  } finally {
    await client.end();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

describe('startPostgres', () => {
  let dataDir: DataDir;
  let port = 0;
  const start = () => startPostgres({ directory: dataDir.postgres, logPath: dataDir.logOf('postgres'), port });

  beforeAll(async () => {
    dataDir = makeTestDataDir();
    port = await freePort();
  });
  afterAll(() => rmSync(dataDir.root, { recursive: true }));

  it('keeps what was committed when it is killed, and leaves no process behind', async () => {
    const first = await start();
    expect(await query(first.url, 'create table kept as select generate_series(1, 1000) as n')).toEqual([]);
    process.kill(first.child.pid, 'SIGKILL');
    expect(await first.child.ended).toBe('ended by SIGKILL');

    const second = await start();
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'select count(*)::int from kept')).toEqual([1000]);
    const backends = await query(second.url, 'select pid from pg_stat_activity');
    await second.child.stop();
    expect(await second.child.ended).toBe('ended with status 0');
    const gone = await pollUntil(() => backends.every((pid) => !['S', 'R', 'D'].includes(readProcessStat(Number(pid))?.state ?? '')), {
      deadlineMs: 5000,
    });
    expect(gone).toBe(true);
  });

  it('lets nobody in without the password', async () => {
    const { url, child } = await start();
    const wrong = new URL(url);
    wrong.password = 'guess';
    await expect(query(wrong.href, 'select 1')).rejects.toThrow('password authentication failed');
    await child.stop();
  });

  it('begins anew when its making was cut short', async () => {
    const directory = join(dataDir.root, 'cut-short');
    mkdirSync(join(directory, 'data.new/base'), { recursive: true });
    const { url, child } = await startPostgres({ directory, logPath: dataDir.logOf('cut-short'), port });
    expect(await query(url, 'select 1')).toEqual([1]);
    await child.stop();
  });

  it('says why it does not come up, and leaves nothing running when it is not wanted', async () => {
    const directory = join(dataDir.root, 'broken');
    const options = { directory, logPath: dataDir.logOf('broken'), port };
    await expect(startPostgres({ ...options, signal: AbortSignal.timeout(1) })).rejects.toThrow(
      'PostgreSQL was stopped before it was ready',
    );
    rmSync(join(directory, 'data/PG_VERSION'));
    await expect(startPostgres(options)).rejects.toThrow(/PostgreSQL ended with status 1. Its log is .*broken.log:\n/);
  });
});
