import { connect, type Socket } from 'node:net';
import { RpcError } from '../errors.ts';
import { abortError } from '../abort-error.ts';
import type { Target } from './target.ts';

/** How long a tcp peer may be silent before the kernel asks after it. */
const tcpKeepaliveDelayMs = 15_000;

/**
 * Connects to a daemon's socket.
 * @throws RpcError `connect`, saying what to look at; `aborted` or `timeout` when `signal` says so
 */
export async function openSocket(address: Target['address'], signal: AbortSignal): Promise<Socket> {
  if (signal.aborted) throw abortError(signal, 'The connection attempt');
  const socket = connect(address);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => reject(abortError(signal, 'The connection attempt'));
  socket.once('connect', resolve);
  socket.once('error', (error) => reject(connectError(address, error)));
  signal.addEventListener('abort', abort, { once: true });
  try {
    await promise;
  } catch (error) {
    socket.on('error', ignoreLateError);
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
  if ('host' in address) socket.setNoDelay(true).setKeepAlive(true, tcpKeepaliveDelayMs);
  return socket;
}

function ignoreLateError(): void {
  // A socket that is given up may still report how it failed; the caller has been told already.
}

function connectError(address: Target['address'], cause: NodeJS.ErrnoException): RpcError {
  const where = 'path' in address ? address.path : `${address.host}:${address.port}`;
  switch (String(cause.code)) {
    case 'ENOENT':
      return new RpcError('connect', `There is no socket at ${where}. Is libvirtd running?`, { cause });
    case 'ECONNREFUSED':
      return new RpcError('connect', `Nobody listens at ${where}. Is libvirtd running?`, { cause });
    case 'EACCES':
    case 'EPERM':
      return new RpcError('connect', `The socket at ${where} may not be opened. Run as root, or as a member of the group libvirt.`, {
        cause,
        retryable: false,
      });
    default:
      return new RpcError('connect', `No connection to ${where}: ${cause.message}`, { cause });
  }
}
