import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { Logger } from 'pino';
import { eventsChannel, latestEvent, readEvents, type EventFilter, type RecordedEvent } from '../../activities/store/events.ts';
import type { Store } from '../../activities/store/store.ts';

const pageSize = 200;
const reconnectAfterMs = 1_000;
/** Also looked at without being told, in case a notification got lost with its connection. */
const lookEveryMs = 10_000;

/** Tells whoever watches that the event table has grown: one listening connection for a whole process. */
export class EventFeed {
  readonly #store: Store;
  readonly #databaseUrl: string;
  readonly #log: Logger;
  readonly #grown = new EventEmitter().setMaxListeners(0);
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;

  constructor(store: Store, databaseUrl: string, log: Logger) {
    this.#store = store;
    this.#databaseUrl = databaseUrl;
    this.#log = log;
  }

  start(): void {
    this.#running ??= this.#listen();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  latest(): Promise<number> {
    return latestEvent(this.#store.fork());
  }

  /** Events that the filter lets through and that are there now. */
  async *past(filter: Omit<EventFilter, 'limit'>): AsyncGenerator<RecordedEvent> {
    let { after } = filter;
    for (let full = true; full;) {
      const page = await readEvents(this.#store.fork(), { ...filter, after, limit: pageSize });
      yield* page;
      after = page.at(-1)?.seq ?? after;
      full = page.length === pageSize;
    }
  }

  /** Events that the filter lets through, those that are there and those to come, until the signal says stop. */
  async *watch(filter: Omit<EventFilter, 'limit'>, signal: AbortSignal): AsyncGenerator<RecordedEvent> {
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    let after = filter.after;
    while (!stop.aborted) {
      const grown = this.#nextGrowth(stop);
      const page = await readEvents(this.#store.fork(), { ...filter, after, limit: pageSize });
      for (const event of page) {
        after = event.seq;
        yield event;
        if (stop.aborted) return;
      }
      if (page.length < pageSize) await grown;
    }
  }

  /** Resolves at the next growth, after a while without one, or when it is time to stop. Never rejects. */
  async #nextGrowth(stop: AbortSignal): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([stop, over.signal]);
    const grown = new Promise<void>((resolve) => {
      const done = () => {
        this.#grown.off('grown', done);
        resolve();
      };
      this.#grown.on('grown', done);
      signal.addEventListener('abort', done, { once: true });
    });
    await Promise.race([grown, sleep(lookEveryMs, undefined, { signal }).catch(() => undefined)]);
    over.abort();
  }

  async #listen(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const client = new Client({ connectionString: this.#databaseUrl });
      try {
        const lost = new Promise<void>((resolve) => {
          client.once('error', () => resolve());
          client.once('end', () => resolve());
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
        client.on('notification', () => this.#grown.emit('grown'));
        await client.connect();
        await client.query(`listen ${eventsChannel}`);
        this.#grown.emit('grown');
        await lost;
      } catch (error) {
        this.#log.debug({ error }, 'No connection for events; trying again');
      } finally {
        await client.end().catch(() => undefined);
      }
      await sleep(reconnectAfterMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
