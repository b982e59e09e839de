import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStoreLab, type StoreLab } from '../../test/support/api-store.ts';
import { eventually } from '../../test/support/eventually.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { cloudletIdentity } from './cloudlet.ts';
import type { EntityManager } from './orm.ts';
import { asStoreError, openStore } from './store.ts';

let lab: StoreLab;
beforeAll(async () => {
  lab = await openStoreLab();
});
afterAll(() => lab?.close());

const query = async <Row extends object>(databaseUrl: string, sql: string): Promise<Row[]> => {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
};

/** An empty database beside that of the lab. */
async function emptyDatabase(): Promise<string> {
  const name = `empty_${randomUUID().replaceAll('-', '')}`;
  await query(lab.databaseUrl, `create database ${name}`);
  const url = new URL(lab.databaseUrl);
  url.pathname = `/${name}`;
  return url.href;
}

describe('opening the store', () => {
  it('brings an empty database up to date, once, although processes start at the same time', async () => {
    const databaseUrl = await emptyDatabase();
    const stores = await Promise.all(Array.from({ length: 3 }, () => openStore({ databaseUrl, poolSize: 3 })));
    await Promise.all(stores.map((store) => store.close()));
    const applied = await query<{ name: string }>(databaseUrl, 'select name from mikro_orm_migrations order by id');
    expect(applied.map(({ name }) => name)).toEqual([...new Set(applied.map(({ name }) => name))].toSorted());
    expect(applied.length).toBeGreaterThanOrEqual(3);
  });

  it('changes nothing the second time', async () => {
    const before = await query(lab.databaseUrl, 'select * from mikro_orm_migrations');
    const again = await openStore({ databaseUrl: lab.databaseUrl });
    await again.close();
    expect(await query(lab.databaseUrl, 'select * from mikro_orm_migrations')).toEqual(before);
  });

  it('finds in the database just what the entities say', async () => {
    const { orm } = lab.store;
    expect(await orm.migrator.checkSchema()).toBe(false);
    const difference = (await orm.schema.getUpdateSchemaSQL({ safe: false }))
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('set names'));
    // What entities cannot say: the trigger that numbers events in the order of commits.
    expect(difference.filter((line) => !line.includes('cloudlet_number_event'))).toEqual([]);
  });

  it.each([
    ['nobody listens', 'postgresql://cloudlet:x@127.0.0.1:1/cloudlet'],
    ['no host has that name', 'postgresql://cloudlet:x@no-such-host.invalid/cloudlet'],
  ])('where %s says that the database is away', async (_, databaseUrl) => {
    await expect(openStore({ databaseUrl })).rejects.toMatchObject({ code: 'store-unavailable' });
  });

  it('with a wrong password says what the database says', async () => {
    const url = new URL(lab.databaseUrl);
    url.password = 'wrong';
    await expect(openStore({ databaseUrl: url.href })).rejects.toThrow(/password authentication failed/);
  });
});

describe('the identity of a cloudlet', () => {
  it('is given once, whoever asks first, and keeps its key when it is renamed', async () => {
    const other = await lab.anotherStore();
    const identities = await Promise.all([lab.store, other, lab.store, other].map((store) => cloudletIdentity(store, 'one')));
    expect(new Set(identities.map(({ id }) => id)).size).toBe(1);
    const renamed = await cloudletIdentity(other, 'two');
    expect(renamed).toMatchObject({ id: identities[0]!.id, name: 'two' });
    expect(Buffer.from(renamed.tokenKey)).toEqual(Buffer.from(identities[0]!.tokenKey));
    expect(renamed.tokenKey.length).toBe(32);
  });
});

describe('a transaction', () => {
  it('that the database ends for a deadlock is done again, and both succeed', async () => {
    await query(lab.databaseUrl, 'drop table if exists deadlocks');
    await query(lab.databaseUrl, 'create table deadlocks as select n as id, 0 as value from generate_series(1, 2) as n');
    let waiting = 0;
    let bothHold: () => void = () => undefined;
    const both = new Promise<void>((resolve) => {
      bothHold = resolve;
    });
    let tries = 0;
    const update = (first: number, second: number) =>
      lab.store.transaction(async (em) => {
        tries += 1;
        await em.execute('update deadlocks set value = value + 1 where id = ?', [first]);
        if (++waiting === 2) bothHold();
        await both;
        await em.execute('update deadlocks set value = value + 1 where id = ?', [second]);
      });
    await Promise.all([update(1, 2), update(2, 1)]);
    // The one that tries again may be the first at what the other waits for, and they meet once more.
    expect(tries).toBeGreaterThanOrEqual(3);
    expect(await query(lab.databaseUrl, 'select value from deadlocks')).toEqual([{ value: 2 }, { value: 2 }]);
  });

  it('is given up after a few tries', async () => {
    let tries = 0;
    const failing = lab.store.transaction(async (em) => {
      tries += 1;
      await em.execute(`do $$ begin raise exception 'again' using errcode = '40001'; end $$`);
    });
    await expect(failing).rejects.toThrow('again');
    expect(tries).toBe(4);
  });

  it('that fails for a reason of ours is not repeated, and leaves nothing', async () => {
    let tries = 0;
    const failing = lab.store.transaction(async (em) => {
      tries += 1;
      await em.execute('create table never_there (id int)');
      throw new CloudletError('state-conflict', 'No.');
    });
    await expect(failing).rejects.toMatchObject({ code: 'state-conflict' });
    expect(tries).toBe(1);
    expect(await query(lab.databaseUrl, `select to_regclass('never_there') as found`)).toEqual([{ found: null }]);
  });
});

describe('a database that goes away', () => {
  it('costs the pool no connection, however often it happens', async () => {
    const small = await lab.anotherStore({ poolSize: 2 });
    const dies = (em: EntityManager) => em.execute('select pg_terminate_backend(pg_backend_pid())');
    for (let round = 0; round < 3; round += 1) {
      const lost = await Promise.allSettled([small.transaction(dies), small.transaction(dies), dies(small.fork())]);
      expect(lost.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    }
    await Promise.all([small.transaction((em) => em.execute('select 1')), small.transaction((em) => em.execute('select 1'))]);
  });

  it('by a kill is said to be away at once, in the middle of a transaction too, and is used again when it is back', async () => {
    const busy = lab.store.transaction((em) => em.execute('select pg_sleep(30)'));
    const told = busy.catch((error: unknown) => error);
    await eventually(async () => {
      const rows = await query(lab.databaseUrl, `select 1 from pg_stat_activity where query like '%pg_sleep(30)%' and state = 'active'`);
      expect(rows.length).toBeGreaterThan(1);
    });
    process.kill(lab.parts.pidOf('postgres'), 'SIGKILL');
    expect(await told).toMatchObject({ code: 'store-unavailable', facts: { retryAfterSeconds: 2 } });
    await eventually(() => lab.store.transaction((em) => em.execute('select 1')), 30_000);
  });

  it('without closing its connections is given up on in time', async () => {
    const impatient = await lab.anotherStore({ answerTimeoutMs: 1_000 });
    const backends = await query<{ pid: number }>(
      lab.databaseUrl,
      `select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
    );
    const frozen = [lab.parts.pidOf('postgres'), ...backends.map(({ pid }) => pid)].filter((pid) => existsSync(`/proc/${pid}`));
    for (const pid of frozen) process.kill(pid, 'SIGSTOP');
    try {
      await expect(impatient.transaction((em) => em.execute('select 1'))).rejects.toMatchObject({ code: 'store-unavailable' });
      await expect(impatient.transaction((em) => em.execute('select 1'))).rejects.toMatchObject({ code: 'store-unavailable' });
    } finally {
      for (const pid of frozen) process.kill(pid, 'SIGCONT');
    }
    await eventually(() => impatient.transaction((em) => em.execute('select 1')), 30_000);
  });
});

describe('asStoreError', () => {
  const coded = (code: string, message = 'x') => Object.assign(new Error(message), { code });

  it.each([
    coded('ECONNREFUSED'),
    Object.assign(coded('ENOENT'), { syscall: 'connect' }),
    coded('57P01'),
    coded('57P03'),
    coded('08006'),
    coded('53300'),
    new Error('Connection terminated unexpectedly'),
    new Error('timeout exceeded when trying to connect'),
    new Error('Query read timeout'),
  ])('calls %s a database that is away', (error) => {
    expect(asStoreError(error)).toMatchObject({ code: 'store-unavailable', cause: error });
  });

  it.each([
    coded('23505'),
    Object.assign(coded('ENOENT'), { syscall: 'open' }),
    coded('08P01', 'invalid message format'),
    coded('22021'),
    new TypeError('x'),
    new CloudletError('not-found', 'x'),
    'text',
    undefined,
    null,
  ])('leaves %s as it is', (error) => {
    expect(asStoreError(error)).toBe(error);
  });
});
