import { abortError } from '../abort-error.ts';
import { RpcError } from '../errors.ts';
import type { DomainEvent, EventKind } from '../protocol/events.ts';

/**
 * Stands among the events where some may be missing: the connection was lost and is back, or the consumer fell too far behind.
 * Look at the daemon's present state (list the domains) and go on.
 */
export interface EventGap {
  readonly kind: 'gap';
  readonly reason: 'reconnected' | 'overflow';
}

export interface EventOptions {
  /** Ends the subscription. */
  readonly signal?: AbortSignal | undefined;
  /** Only events of the domain with this UUID. */
  readonly domainUuid?: string | undefined;
  /** How many events may wait for a slow consumer before they are dropped for a gap. 1,000 unless said. */
  readonly maxBuffered?: number | undefined;
}

type Item<K extends EventKind> = DomainEvent<K> | EventGap;

/**
 * Events of one kind, to be read by `for await`. It begins at once, not at the first read: await `ready`, and what happens after
 * is in it.
 *
 * Ends quietly when the loop is left, the signal is aborted or the client is closed; throws when libvirt refuses the subscription.
 */
export class EventSubscription<K extends EventKind> implements AsyncIterableIterator<Item<K>> {
  /** Resolves when the daemon has been told. Rejects when it refuses, or the subscription ends before. */
  readonly ready: Promise<void>;
  readonly #options: EventOptions;
  readonly #onEnd: (self: EventSubscription<K>) => void;
  readonly #becomeReady: PromiseWithResolvers<void>;
  readonly #readers: PromiseWithResolvers<IteratorResult<Item<K>, undefined>>[] = [];
  #buffer: Item<K>[] = [];
  /** What the subscription is registered with; another one later means a gap. */
  #registeredWith: object | undefined;
  #ended = false;
  #failure: RpcError | undefined;

  constructor(options: EventOptions, onEnd: (self: EventSubscription<K>) => void) {
    this.#options = options;
    this.#onEnd = onEnd;
    this.#becomeReady = Promise.withResolvers();
    this.ready = this.#becomeReady.promise;
    this.ready.catch(() => {});
    options.signal?.addEventListener('abort', this.#abort, { once: true });
    if (options.signal?.aborted) this.#abort();
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Hands an event to whoever waits for it, or keeps it. */
  push(event: DomainEvent<K>): void {
    const { domainUuid, maxBuffered = 1000 } = this.#options;
    if (domainUuid !== undefined && event.domain.uuid !== domainUuid.toLowerCase()) return;
    if (this.#buffer.length >= maxBuffered) this.#buffer = [{ kind: 'gap', reason: 'overflow' }];
    this.#deliver(event);
  }

  /** The daemon has been told over `connection`. */
  registered(connection: object): void {
    if (this.#registeredWith === connection) return;
    if (this.#registeredWith === undefined) this.#becomeReady.resolve();
    else this.#deliver({ kind: 'gap', reason: 'reconnected' });
    this.#registeredWith = connection;
  }

  /** Ends it: quietly, or with an error that the next read throws. */
  end(failure?: RpcError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#becomeReady.reject(failure ?? new RpcError('closed', 'The subscription ended before it began.'));
    for (const reader of this.#readers.splice(0)) this.#settleEnd(reader);
    this.#onEnd(this);
  }

  next(): Promise<IteratorResult<Item<K>, undefined>> {
    const reader = Promise.withResolvers<IteratorResult<Item<K>, undefined>>();
    const item = this.#buffer.shift();
    if (item !== undefined) reader.resolve({ done: false, value: item });
    else if (this.#ended) this.#settleEnd(reader);
    else this.#readers.push(reader);
    return reader.promise;
  }

  return(): Promise<IteratorResult<Item<K>, undefined>> {
    this.#buffer = [];
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  readonly #abort = () => {
    const { signal } = this.#options;
    this.#buffer = [];
    if (signal !== undefined) this.#becomeReady.reject(abortError(signal, 'The subscription'));
    this.end();
  };

  #deliver(item: Item<K>): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader === undefined) this.#buffer.push(item);
    else reader.resolve({ done: false, value: item });
  }

  #settleEnd(reader: PromiseWithResolvers<IteratorResult<Item<K>, undefined>>): void {
    if (this.#failure === undefined) reader.resolve({ done: true, value: undefined });
    else reader.reject(this.#failure);
  }
}
