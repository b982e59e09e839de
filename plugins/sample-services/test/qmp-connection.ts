import { EventEmitter, once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** QEMU's monitor protocol, as far as tests need it: give a command, wait for an event. */
export class QmpConnection {
  readonly #socket: Socket;
  readonly #seen = new Set<string>();
  readonly #events = new EventEmitter();

  private constructor(socket: Socket) {
    this.#socket = socket;
    createInterface(socket).on('line', (line) => {
      const message: unknown = JSON.parse(line);
      if (typeof message !== 'object' || message === null || !('event' in message)) return;
      this.#seen.add(String(message.event));
      this.#events.emit(String(message.event));
    });
  }

  static async open(path: string): Promise<QmpConnection> {
    const socket = createConnection(path);
    await once(socket, 'connect');
    const connection = new QmpConnection(socket);
    connection.execute('qmp_capabilities');
    return connection;
  }

  execute(command: string): void {
    this.#socket.write(`${JSON.stringify({ execute: command })}\n`);
  }

  /** Resolves when QEMU reports the event, or has reported it since this connection was opened; rejects after the time. */
  async event(name: string, timeoutMs: number): Promise<void> {
    if (this.#seen.has(name)) return;
    await once(this.#events, name, { signal: AbortSignal.timeout(timeoutMs) });
  }

  close(): void {
    this.#socket.destroy();
  }
}
