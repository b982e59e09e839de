import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from '../connection/connection.ts';
import type { RpcError } from '../errors.ts';

export interface ReconnectOptions {
  /** Before the first attempt; each further one waits twice as long. */
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

export const defaultReconnect: ReconnectOptions = { minDelayMs: 50, maxDelayMs: 2000 };

interface SessionListener {
  /** Prepares a new connection, the first or a later one, before it is used. */
  prepare(connection: Connection): Promise<void>;
  disconnected(reason: RpcError): void;
  reconnected(): void;
}

/** Keeps one connection open: opens another, for as long as it takes, whenever it is lost. */
export class Session {
  readonly #open: (signal: AbortSignal) => Promise<Connection>;
  readonly #reconnect: ReconnectOptions;
  readonly #listener: SessionListener;
  readonly #closing = new AbortController();
  #connection: Connection | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(open: (signal: AbortSignal) => Promise<Connection>, reconnect: ReconnectOptions, listener: SessionListener) {
    this.#open = open;
    this.#reconnect = reconnect;
    this.#listener = listener;
  }

  /** The connection, while there is one. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Makes the first connection, and keeps it from then on. Throws what `open` throws; `signal` gives up. */
  async start(signal?: AbortSignal): Promise<void> {
    const closing = this.#closing.signal;
    const connection = await this.#open(signal === undefined ? closing : AbortSignal.any([signal, closing]));
    await this.#adopt(connection);
    this.#ended = this.#keep(connection);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#connection?.close();
    await this.#ended;
  }

  async #keep(first: Connection): Promise<void> {
    for (let connection: Connection | undefined = first; connection !== undefined; connection = await this.#next()) {
      const reason = await closed(connection);
      this.#connection = undefined;
      if (this.#closing.signal.aborted) return;
      this.#listener.disconnected(reason);
    }
  }

  /** The next connection, or nothing if the session is closed before there is one. */
  async #next(): Promise<Connection | undefined> {
    const { signal } = this.#closing;
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await delay(backoffMs(this.#reconnect, attempt), undefined, { signal });
        const connection = await this.#open(signal);
        await this.#adopt(connection);
        this.#listener.reconnected();
        return connection;
      } catch {
        // Whatever is wrong with the daemon may be mended by the next attempt.
      }
    }
    return undefined;
  }

  async #adopt(connection: Connection): Promise<void> {
    this.#connection = connection;
    if (this.#closing.signal.aborted) await connection.close();
    await this.#listener.prepare(connection);
    if (connection.closeReason !== undefined) throw connection.closeReason;
  }
}

function closed(connection: Connection): Promise<RpcError> {
  return new Promise((resolve) => {
    if (connection.closeReason === undefined) connection.once('close', resolve);
    else resolve(connection.closeReason);
  });
}

/** Doubles from attempt to attempt, and differs by up to a half, so that many clients do not come back at once. */
function backoffMs({ minDelayMs, maxDelayMs }: ReconnectOptions, attempt: number): number {
  return Math.min(minDelayMs * 2 ** attempt, maxDelayMs) * (1 - Math.random() / 2);
}
