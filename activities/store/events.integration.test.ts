import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStoreLab, type StoreLab } from '../../test/support/api-store.ts';
import { eventually } from '../../test/support/eventually.ts';
import { appendEvent, eventsChannel, latestEvent, readEvents, writeEvents } from './events.ts';
import type { Store } from './store.ts';

let lab: StoreLab;
beforeAll(async () => {
  lab = await openStoreLab();
});
afterAll(() => lab?.close());

class Undone extends Error {}

/** Writes as many events as it says in one transaction, which takes its time, and may be undone. */
async function write(store: Store, subjects: readonly string[], undo: boolean): Promise<readonly string[]> {
  await store
    .transaction(async (em) => {
      await em.execute('select pg_sleep(?)', [Math.random() * 0.01]);
      for (const subject of subjects) appendEvent(em, { type: 'test', subject, audience: 'public' });
      await writeEvents(em);
      await em.execute('select pg_sleep(?)', [Math.random() * 0.01]);
      if (undo) throw new Undone();
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undone)) throw error;
    });
  return undo ? [] : subjects;
}

describe('the event table', () => {
  it('shows a reader who follows it every event that is committed, once and in order, whoever writes at once', async () => {
    const other = await lab.anotherStore();
    const seen: { seq: number; subject: string }[] = [];
    let after = await latestEvent(lab.store.fork());
    let writing = true;
    const follow = async () => {
      while (true) {
        const last = !writing;
        const page = await readEvents(lab.store.fork(), { after, limit: 3 });
        for (const { seq, subject } of page) seen.push({ seq, subject });
        after = page.at(-1)?.seq ?? after;
        if (last && page.length === 0) return;
      }
    };
    const following = follow();
    const writers = Array.from({ length: 60 }, (_, index) =>
      write(
        index % 2 ? lab.store : other,
        Array.from({ length: 1 + (index % 3) }, () => randomUUID()),
        index % 5 === 0,
      ),
    );
    const committed = (await Promise.all(writers)).flat();
    writing = false;
    await following;
    expect(seen.map(({ subject }) => subject).toSorted()).toEqual(committed.toSorted());
    expect(seen.map(({ seq }) => seq)).toEqual(seen.map(({ seq }) => seq).toSorted((a, b) => a - b));
  });

  it('tells who listens, after the commit and not before', async () => {
    const listener = new Client({ connectionString: lab.databaseUrl });
    await listener.connect();
    try {
      const heard: string[] = [];
      listener.on('notification', ({ payload }) => heard.push(payload!));
      await listener.query(`listen ${eventsChannel}`);
      await lab.store.transaction(async (em) => {
        appendEvent(em, { type: 'test', subject: 'told', audience: 'public' });
        await writeEvents(em);
        await listener.query('select 1');
        expect(heard).toEqual([]);
      });
      const seq = await latestEvent(lab.store.fork());
      await eventually(() => expect(heard).toEqual([String(seq)]));
    } finally {
      await listener.end();
    }
  });

  it('is read by operation, by audience, and page by page', async () => {
    const operationId = randomUUID();
    const after = await latestEvent(lab.store.fork());
    await lab.store.transaction(async (em) => {
      appendEvent(em, { type: 'one', subject: 's', operationId, audience: 'owner', data: { deep: { text: 'é€😀' } } });
      appendEvent(em, { type: 'two', subject: 's', audience: 'public' });
      appendEvent(em, { type: 'three', subject: 's', operationId, audience: 'owner' });
    });
    const types = async (filter: object) => (await readEvents(lab.store.fork(), { after, limit: 10, ...filter })).map(({ type }) => type);
    expect(await types({})).toEqual(['one', 'two', 'three']);
    expect(await types({ operationId })).toEqual(['one', 'three']);
    expect(await types({ publicOnly: true })).toEqual(['two']);
    expect(await types({ limit: 2 })).toEqual(['one', 'two']);
    const [first] = await readEvents(lab.store.fork(), { after, limit: 1 });
    expect(first).toMatchObject({ type: 'one', subject: 's', operationId, data: { deep: { text: 'é€😀' } }, at: expect.any(Date) });
  });

  it('makes those who write wait for nobody whose transaction still goes on', async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const append = (subject: string, work = async () => {}) =>
      lab.store.transaction(async (em) => {
        appendEvent(em, { type: 'test', subject, audience: 'public' });
        await work();
      });
    const going = append('first begun', () => {
      begin();
      return held;
    });
    await begun;
    const written = await Promise.race([append('first written').then(() => 'written'), sleep(2_000, 'waited')]);
    release();
    await going;
    expect(written).toBe('written');
  });

  it('makes nobody wait who does not write', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const writing = lab.store.transaction(async (em) => {
      appendEvent(em, { type: 'test', subject: 'slow', audience: 'public' });
      await writeEvents(em);
      await held;
    });
    const read = await Promise.race([readEvents(lab.store.fork(), { after: 0, limit: 1 }), sleep(2_000, 'waited')]);
    release();
    await writing;
    expect(read).not.toBe('waited');
  });
});
