import type { LiveMessage } from './live-message.ts';
import type { LiveStore } from './live-store.ts';
import { throttle, type Throttled } from './throttle.ts';

const livePath = '/live';
const healthPath = '/health';

const refreshIntervalMs = 500;
/** Users, load and health change without an event. */
const pollLiveMs = 10_000;
const pollOtherwiseMs = 3_000;

export interface LiveHandlers {
  /** What the server rendered is out of date. */
  readonly refresh: () => void;
  readonly tell: (message: LiveMessage) => void;
}

/**
 * Keeps an open page up to date: events while they arrive, else by asking again and again. Rests while nobody looks at
 * the page, so that many tabs do not use up the connections that a browser grants one server.
 */
export class LiveConnection {
  readonly #store: LiveStore;
  readonly #handlers: LiveHandlers;
  readonly #refresh: Throttled;
  #source: EventSource | undefined;
  #poll: ReturnType<typeof setTimeout> | undefined;
  #lastEventId: string | undefined;

  constructor(store: LiveStore, handlers: LiveHandlers) {
    this.#store = store;
    this.#handlers = handlers;
    this.#refresh = throttle(handlers.refresh, refreshIntervalMs);
  }

  open(): void {
    document.addEventListener('visibilitychange', this.#visibilityChanged);
    if (!document.hidden) this.#wake();
  }

  close(): void {
    document.removeEventListener('visibilitychange', this.#visibilityChanged);
    this.#rest();
  }

  readonly #visibilityChanged = (): void => {
    if (document.hidden) this.#rest();
    else this.#wake();
  };

  #wake(): void {
    this.#connect();
    this.#schedulePoll();
  }

  #rest(): void {
    clearTimeout(this.#poll);
    this.#refresh.cancel();
    this.#source?.close();
    this.#source = undefined;
  }

  #connect(): void {
    this.#source?.close();
    const after = this.#lastEventId === undefined ? '' : `?after=${this.#lastEventId}`;
    const source = new EventSource(livePath + after);
    source.addEventListener('message', ({ data, lastEventId }: MessageEvent<string>) => {
      if (lastEventId !== '') this.#lastEventId = lastEventId;
      this.#receive(JSON.parse(data) as LiveMessage);
    });
    source.addEventListener('error', () => this.#store.setConnection('offline'));
    this.#source = source;
  }

  #receive(message: LiveMessage): void {
    switch (message.kind) {
      case 'connection':
        this.#store.setConnection(message.state);
        this.#schedulePoll();
        if (message.state === 'live') this.#refresh();
        break;
      case 'progress':
        this.#store.setProgress(message.operationId, message.progress);
        break;
      case 'outcome':
        this.#store.dropProgress(message.operationId);
        this.#refresh();
        break;
      case 'change':
        this.#refresh();
        break;
      case 'signed-out':
        this.close();
        break;
    }
    this.#handlers.tell(message);
  }

  #schedulePoll(): void {
    clearTimeout(this.#poll);
    const live = this.#store.snapshot().connection === 'live';
    this.#poll = setTimeout(
      () => void this.#look().finally(() => this.#source && this.#schedulePoll()),
      live ? pollLiveMs : pollOtherwiseMs,
    );
  }

  /** Looks for what no event tells, or whether the way back is open. */
  async #look(): Promise<void> {
    const { connection } = this.#store.snapshot();
    // The server says when the API is back; what is on the page may stay until then.
    if (connection === 'lost') return;
    if (connection !== 'live') {
      // A refresh that finds no server would lose the page.
      const answer = await fetch(healthPath, { cache: 'no-store' }).catch(() => undefined);
      if (!answer?.ok) return;
      // A browser gives up on a stream that was refused.
      if (this.#source?.readyState === EventSource.CLOSED) this.#connect();
    }
    this.#refresh();
  }
}
