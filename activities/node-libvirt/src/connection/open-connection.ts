import { RpcError } from '../errors.ts';
import { AuthType, Feature } from '../protocol/constants.ts';
import { openSocket } from '../transport/open-socket.ts';
import { parseTarget } from '../transport/target.ts';
import { Connection } from './connection.ts';
import { defaultKeepalive, type KeepaliveOptions } from './keepalive.ts';

export interface ConnectionOptions {
  /** How long connecting may take until the daemon has answered, in milliseconds. 10,000 unless said. */
  readonly connectTimeoutMs?: number | undefined;
  /** How a silent daemon is watched; `false` for not at all. Unless said, every 5 s, and lost after five unanswered. */
  readonly keepalive?: KeepaliveOptions | false | undefined;
  /** Gives up connecting. Does not govern the connection afterwards. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects to the daemon a libvirt URI names, and opens its driver.
 * @throws RpcError `connect`, `unsupported`, `timeout` or `aborted`; LibvirtError when the driver refuses
 */
export async function openConnection(uri: string, options: ConnectionOptions = {}): Promise<Connection> {
  const { connectTimeoutMs = 10_000, keepalive = defaultKeepalive } = options;
  const target = parseTarget(uri);
  const timeout = new AbortController();
  const timer = setTimeout(
    () => timeout.abort(new RpcError('timeout', `${uri} did not answer within ${connectTimeoutMs} ms.`)),
    connectTimeoutMs,
  );
  const signal = options.signal === undefined ? timeout.signal : AbortSignal.any([options.signal, timeout.signal]);
  try {
    const connection = new Connection(await openSocket(target.address, signal));
    try {
      const { answersPings } = await sayHello(connection, target.driverUri, signal);
      if (keepalive !== false && answersPings) connection.startKeepalive(keepalive);
      return connection;
    } catch (error) {
      void connection.close();
      throw error;
    }
  } finally {
    clearTimeout(timer);
  }
}

async function sayHello(connection: Connection, driverUri: string, signal: AbortSignal): Promise<{ answersPings: boolean }> {
  const { types } = await connection.call('authList', {}, { signal });
  if (!types.includes(AuthType.NONE)) throw authenticationError(types);
  const { supported } = await connection.call('connectSupportsFeature', { feature: Feature.PROGRAM_KEEPALIVE }, { signal });
  await connection.call('connectOpen', { name: driverUri, flags: 0 }, { signal });
  return { answersPings: supported };
}

function authenticationError(types: readonly number[]): RpcError {
  const [type] = types;
  if (type === AuthType.POLKIT) {
    return new RpcError(
      'unsupported',
      'libvirt asks polkit who may connect, which this package cannot answer. Run as root, or set auth_unix_rw = "none" in libvirtd.conf.',
    );
  }
  const name = type === AuthType.SASL ? 'SASL' : `authentication of type ${type}`;
  return new RpcError('unsupported', `libvirt asks for ${name}, which this package does not speak. Use its unix socket as root.`);
}
