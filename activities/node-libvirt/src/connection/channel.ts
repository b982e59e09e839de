import type { Socket } from 'node:net';
import { RpcError } from '../errors.ts';
import type { Frame } from '../wire/frame.ts';
import { FrameParser } from '../wire/frame-parser.ts';

export interface ChannelListener {
  /** Something came in, be it a part of a message. */
  heard(): void;
  /** May throw an RpcError `protocol`, which ends the channel. */
  frame(frame: Frame): void;
  /** Called once, when nothing can be sent or received any more. */
  end(reason: RpcError): void;
}

/** How long the daemon may take to hang up after our goodbye. */
const goodbyeMs = 1000;

/** Whole messages over a socket, until the socket, the daemon, or its owner ends it. Ends once, for one reason. */
export class Channel {
  readonly #socket: Socket;
  readonly #listener: ChannelListener;
  readonly #parser = new FrameParser();
  #endReason: RpcError | undefined;

  constructor(socket: Socket, listener: ChannelListener) {
    this.#socket = socket;
    this.#listener = listener;
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', (cause) => this.#lost(`The connection to libvirt broke: ${cause.message}`, cause));
    socket.on('end', () => this.#lost('libvirt closed the connection.'));
    socket.on('close', () => this.#lost('The connection to libvirt was closed.'));
  }

  /** Why the channel has ended, if it has. */
  get endReason(): RpcError | undefined {
    return this.#endReason;
  }

  /** What the daemon, or the network, has not taken yet. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  send(frame: Buffer): void {
    if (this.#endReason === undefined) this.#socket.write(frame);
  }

  /** Sends a header and the data that belongs to it, uncopied. `sent` is called when the socket has taken both. */
  sendData(header: Buffer, data: Buffer, sent: (error?: Error | null) => void): void {
    if (this.#endReason !== undefined) return sent(this.#endReason);
    this.#socket.cork();
    this.#socket.write(header);
    this.#socket.write(data, sent);
    this.#socket.uncork();
  }

  /** Stops or resumes the reading. */
  setPaused(paused: boolean): void {
    if (paused) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Ends the channel at once. */
  fail(reason: RpcError): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    this.#socket.destroy();
    this.#listener.end(reason);
  }

  /** Ends the channel with a last message, so that the daemon need not wonder. Resolves when the socket is closed. */
  async close(goodbye: Buffer): Promise<void> {
    if (this.#endReason === undefined) {
      this.#endReason = new RpcError('closed', 'The connection was closed.');
      this.#socket.end(goodbye);
      this.#socket.resume();
      this.#listener.end(this.#endReason);
    }
    if (this.#socket.closed) return;
    const timer = setTimeout(() => this.#socket.destroy(), goodbyeMs);
    await new Promise((resolve) => this.#socket.once('close', resolve));
    clearTimeout(timer);
  }

  #read(chunk: Buffer): void {
    this.#listener.heard();
    try {
      for (const frame of this.#parser.push(chunk)) {
        if (this.#endReason !== undefined) return;
        this.#listener.frame(frame);
      }
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      this.fail(error);
    }
  }

  #lost(message: string, cause?: Error): void {
    this.fail(new RpcError('connection-lost', message, { cause }));
  }
}
