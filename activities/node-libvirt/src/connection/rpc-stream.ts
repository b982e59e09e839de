import { Duplex } from 'node:stream';
import { RpcError } from '../errors.ts';
import { maxStreamPayloadBytes } from '../protocol/constants.ts';
import type { StreamDirection } from '../protocol/procedure.ts';

/** How a stream reaches its connection. */
export interface StreamPort {
  /** Sends data; `sent` is called when the socket has taken it. */
  sendData(data: Buffer, sent: (error?: Error | null) => void): void;
  sendFinish(): void;
  sendAbort(): void;
  /** Stops or resumes the reading of the whole connection. */
  setPaused(paused: boolean): void;
}

/** What has come in and was not handed out yet: data, so many zero bytes, the end of the data, the confirmed end of the stream. */
type Item = Buffer | { zeroBytes: number } | 'end' | 'confirmed';

/** A few packets, so that the daemon fills the next ones while the reader works on the last. */
const readableHighWaterMark = 4 * maxStreamPayloadBytes;

/** Holes are handed out as zeros in pieces of this size. */
const zeros = Buffer.alloc(65_536);

/**
 * A libvirt stream as a Node stream: a Duplex for a console, readable only for a download, writable only for an upload.
 *
 * `end` emitted, or `finish` for an upload, means that the daemon has confirmed the orderly end. `destroy` aborts the stream at
 * the daemon. An unread stream pauses the reading of its whole connection, which is why a `Client` gives each a connection of its
 * own. A failure nobody listens to does not end the process.
 */
export class RpcStream extends Duplex {
  readonly #direction: StreamDirection;
  readonly #port: StreamPort;
  readonly #inbox: Item[] = [];
  #phase: 'open' | 'finishing' | 'over' = 'open';
  #readerHasRoom = true;
  #finished: ((error?: Error | null) => void) | undefined;

  constructor(direction: StreamDirection, port: StreamPort) {
    const sides = { readable: direction !== 'write', writable: direction !== 'read' };
    super({ ...sides, allowHalfOpen: false, readableHighWaterMark });
    this.#direction = direction;
    this.#port = port;
    this.on('error', () => {});
  }

  /**
   * Takes bytes from the daemon, or a hole of so many.
   * @throws RpcError `protocol` when it is we who write, as the next
   */
  receive(item: Buffer | { zeroBytes: number }): void {
    this.#receive(item);
  }

  /** The daemon has no more data. */
  receiveEnd(): void {
    this.#receive('end');
  }

  /**
   * The daemon confirms our finish or abort.
   * @throws RpcError `protocol` when there was none
   */
  receiveConfirmation(): void {
    if (this.#phase === 'open') throw new RpcError('protocol', 'The daemon confirmed the end of a stream that goes on.');
    this.#phase = 'over';
    if (!this.destroyed) this.#finished?.();
    if (this.#direction !== 'write') this.#receive('confirmed');
  }

  /** The stream has failed, at the daemon or with its connection. */
  receiveError(error: Error): void {
    this.#phase = 'over';
    this.destroy(error);
  }

  override _read(): void {
    this.#readerHasRoom = true;
    this.#flow();
  }

  override _write(chunk: Buffer, _encoding: string, callback: (error?: Error | null) => void): void {
    for (let offset = 0; offset < chunk.length; offset += maxStreamPayloadBytes) {
      const end = offset + maxStreamPayloadBytes;
      this.#port.sendData(chunk.subarray(offset, end), end >= chunk.length ? callback : () => {});
    }
    if (chunk.length === 0) callback();
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (this.#phase === 'over') return callback();
    this.#finished = callback;
    this.#finish();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#inbox.length = 0;
    if (this.#phase === 'open') {
      this.#phase = 'finishing';
      this.#port.sendAbort();
    }
    this.#port.setPaused(false);
    callback(error);
  }

  #receive(item: Item): void {
    if (this.#direction === 'write') throw new RpcError('protocol', 'The daemon sent data into a stream that is ours to write.');
    if (this.destroyed) return;
    this.#inbox.push(item);
    this.#flow();
  }

  #finish(): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'finishing';
    this.#port.sendFinish();
  }

  /** Hands out what the reader has room for, and lets the socket wait for the rest. */
  #flow(): void {
    while (this.#inbox.length > 0 && this.#readerHasRoom) this.#handOutFirst(this.#inbox);
    this.#port.setPaused(this.#phase !== 'over' && !this.#readerHasRoom);
  }

  #handOutFirst(inbox: Item[]): void {
    const [item] = inbox;
    if (typeof item === 'object' && 'zeroBytes' in item) {
      const bytes = Math.min(item.zeroBytes, zeros.length);
      item.zeroBytes -= bytes;
      if (item.zeroBytes === 0) inbox.shift();
      this.#readerHasRoom = this.push(zeros.subarray(0, bytes));
      return;
    }
    inbox.shift();
    if (item === 'end') this.#finish();
    else if (item === 'confirmed') this.push(null);
    else this.#readerHasRoom = this.push(item);
  }
}
