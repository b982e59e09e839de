import { abortError } from '../abort-error.ts';
import type { CallOptions } from '../caller.ts';
import type { Connection } from '../connection/connection.ts';
import type { RpcError } from '../errors.ts';
import { daemonCallWindow } from '../protocol/constants.ts';
import { watchPatience } from '../watch-patience.ts';

export interface CallPoolOptions {
  /** Opens one more connection. */
  open(): Promise<Connection>;
  readonly maxConnections: number;
  /** How long calls must have been waiting before one more connection is opened for them. 0: at once. */
  readonly growAfterMs: number;
  /** How long a connection may be idle before it is closed. */
  readonly idleMs: number;
}

/** Places one call on a connection. `remaining` are its options less the time it has waited. */
type Place<T> = (connection: Connection, remaining: CallOptions) => Promise<T>;

interface Waiter {
  readonly start: (connection: Connection) => void;
  readonly reject: (error: RpcError) => void;
}

/** One below the daemon's window, so that it goes on reading: pings are served, and events asked for. */
const callsPerConnection = daemonCallWindow - 1;

/**
 * Connections that share calls of one sort, at most four on each, and a queue for the rest.
 *
 * A call that is given up keeps its place until the daemon has answered it. When nobody waits for anything on a connection any
 * more, it is closed: that is how calls are cancelled.
 */
export class CallPool {
  readonly #options: CallPoolOptions;
  readonly #connections = new Set<Connection>();
  readonly #queue: Waiter[] = [];
  #opening = 0;
  #growTimer: NodeJS.Timeout | undefined;
  #closeReason: RpcError | undefined;

  constructor(options: CallPoolOptions) {
    this.#options = options;
  }

  run<T>(place: Place<T>, options: CallOptions): Promise<T> {
    if (this.#closeReason !== undefined) return Promise.reject(this.#closeReason);
    const free = this.#queue.length === 0 ? this.#free() : undefined;
    if (free !== undefined) return this.#place(free, place, options);
    const result = this.#enqueue(place, options);
    this.#grow();
    return result;
  }

  /** Rejects what waits and what is under way. Resolves when all connections are closed. */
  async close(reason: RpcError): Promise<void> {
    this.#closeReason = reason;
    clearTimeout(this.#growTimer);
    for (const waiter of this.#queue.splice(0)) waiter.reject(reason);
    await Promise.all([...this.#connections].map((connection) => connection.close()));
  }

  #place<T>(connection: Connection, place: Place<T>, options: CallOptions): Promise<T> {
    const result = place(connection, options);
    if (options.signal !== undefined || options.timeoutMs !== undefined) {
      result.catch(() => {
        if (connection.awaited === 0 && connection.outstanding > 0) void connection.close();
      });
    }
    return result;
  }

  #enqueue<T>(place: Place<T>, options: CallOptions): Promise<T> {
    const { signal, timeoutMs } = options;
    if (signal?.aborted) return Promise.reject(abortError(signal, 'The call'));
    return new Promise((resolve, reject) => {
      const since = performance.now();
      const leaveQueue = () => {
        endWatch();
        const index = this.#queue.indexOf(waiter);
        if (index >= 0) this.#queue.splice(index, 1);
      };
      const waiter: Waiter = {
        start: (connection) => {
          leaveQueue();
          const remainingMs = timeoutMs === undefined ? undefined : Math.max(1, Math.ceil(timeoutMs - (performance.now() - since)));
          resolve(this.#place(connection, place, { signal, timeoutMs: remainingMs }));
        },
        reject: (error) => {
          leaveQueue();
          reject(error);
        },
      };
      const endWatch = watchPatience({ options, what: 'The call', timedOut: 'No connection was free for the call' }, waiter.reject);
      this.#queue.push(waiter);
    });
  }

  #free(): Connection | undefined {
    for (const connection of this.#connections) if (connection.outstanding < callsPerConnection) return connection;
    return undefined;
  }

  #drain(): void {
    for (let free = this.#free(); free !== undefined; free = this.#free()) {
      const [waiter] = this.#queue;
      if (waiter === undefined) return;
      waiter.start(free);
    }
    this.#grow();
  }

  #grow(): void {
    if (this.#queue.length === 0 || this.#closeReason !== undefined) return;
    const { maxConnections, growAfterMs } = this.#options;
    const existing = this.#connections.size + this.#opening;
    if (existing >= maxConnections) return;
    if (growAfterMs > 0 && existing > 0) {
      this.#growTimer ??= setTimeout(() => {
        this.#growTimer = undefined;
        if (this.#queue.length > 0) void this.#openOne();
        this.#grow();
      }, growAfterMs);
      return;
    }
    const wanted = Math.min(Math.ceil(this.#queue.length / callsPerConnection) - this.#opening, maxConnections - existing);
    for (let i = 0; i < wanted; i++) void this.#openOne();
  }

  async #openOne(): Promise<void> {
    this.#opening++;
    try {
      this.#add(await this.#options.open());
      this.#opening--;
      this.#drain();
    } catch (error) {
      this.#opening--;
      // Other connections make room in time, and a further attempt then; without any, waiting would be in vain.
      if (this.#connections.size + this.#opening === 0) for (const waiter of this.#queue.splice(0)) waiter.reject(error as RpcError);
    }
  }

  #add(connection: Connection): void {
    if (this.#closeReason !== undefined) return void connection.close();
    if (connection.closeReason !== undefined) throw connection.closeReason;
    this.#connections.add(connection);
    const idleTimer = setTimeout(() => {
      if (connection.outstanding === 0) void connection.close();
      else idleTimer.refresh();
    }, this.#options.idleMs).unref();
    connection.on('settled', () => {
      idleTimer.refresh();
      this.#drain();
    });
    connection.once('close', () => {
      clearTimeout(idleTimer);
      this.#connections.delete(connection);
      this.#drain();
    });
  }
}
