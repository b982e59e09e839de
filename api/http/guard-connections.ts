import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { isLoopback } from './is-loopback.ts';

export interface ConnectionLimits {
  readonly connections: number;
  /** Of one address; this host itself is not counted. */
  readonly connectionsPerAddress: number;
  /** A client that takes nothing of its answer for so long is cut off. */
  readonly stalledReaderMs: number;
}

/** Keeps clients from holding connections that others need: by their number, or by not reading what they asked for. */
export function guardConnections(server: Server, { connections, connectionsPerAddress, stalledReaderMs }: ConnectionLimits): void {
  server.maxConnections = connections;
  limitPerAddress(server, connectionsPerAddress);
  const busy = new WeakSet<Socket>();
  server.prependListener('request', ({ socket }, response) => {
    busy.add(socket);
    response.once('close', () => busy.delete(socket));
  });
  // With a listener Node leaves it to us whom to cut off. A phone may wait in silence for a guest to boot.
  server.setTimeout(stalledReaderMs, (socket: Socket) => {
    const stalled = socket.writableLength > 0;
    if (stalled || !busy.has(socket)) socket.destroy();
  });
}

function limitPerAddress(server: Server, limit: number): void {
  const counts = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    if (isLoopback(address)) return;
    const count = 1 + (counts.get(address) ?? 0);
    counts.set(address, count);
    socket.once('close', () => {
      const left = counts.get(address)! - 1;
      if (left > 0) counts.set(address, left);
      else counts.delete(address);
    });
    if (count > limit) socket.destroy();
  });
}
