import { existsSync } from 'node:fs';
import { RpcError } from '../errors.ts';

/** Where a daemon listens, and what it is asked to open there. */
export interface Target {
  readonly address: { readonly path: string } | { readonly host: string; readonly port: number };
  /** The name sent in `connectOpen`: the URI without what only concerns the way to the daemon. */
  readonly driverUri: string;
}

const defaultTcpPort = 16_509;
const runDirectory = '/var/run/libvirt';

/** Query parameters that are for the client, not for the driver (libvirt's `doRemoteOpen` strips the same). */
const clientParameters = new Set(['socket', 'name', 'mode', 'authfile']);

/**
 * Reads a libvirt URI: `qemu:///system`, `qemu+unix:///system?socket=/path`, `qemu+tcp://host:port/system`.
 *
 * Without `socket`, a system URI means the driver's own daemon (`virtqemud-sock`) if its socket exists, else libvirtd's.
 * @throws RpcError `unsupported` for another transport, `invalid-argument` for what is not a URI
 */
export function parseTarget(uri: string): Target {
  const match = /^([a-z]+)(?:\+([a-z0-9]+))?:\/\//i.exec(uri);
  const url = match === null || !URL.canParse(uri) ? undefined : new URL(uri);
  if (match === null || url === undefined) {
    throw new RpcError('invalid-argument', `${JSON.stringify(uri)} is not a libvirt URI. Write it like qemu:///system.`);
  }
  const driver = (match[1] ?? '').toLowerCase();
  const transport = match[2]?.toLowerCase() ?? (url.hostname === '' ? 'unix' : 'tls');
  const query = new URLSearchParams(url.search.replaceAll('+', '%2B'));
  return { address: address({ uri, url, query, driver }, transport), driverUri: driverUri(url, query, driver) };
}

interface ParsedUri {
  readonly uri: string;
  readonly url: URL;
  readonly query: URLSearchParams;
  readonly driver: string;
}

function address(parsed: ParsedUri, transport: string): Target['address'] {
  const { uri, url, query } = parsed;
  switch (transport) {
    case 'unix':
      if (url.hostname !== '') {
        throw new RpcError('invalid-argument', `${uri} names a host, but a unix socket is on this one. Write it with three slashes.`);
      }
      return { path: query.get('socket') ?? systemSocket(parsed) };
    case 'tcp':
      return { host: url.hostname.replace(/^\[|\]$/g, '') || 'localhost', port: url.port === '' ? defaultTcpPort : Number(url.port) };
    default:
      throw new RpcError(
        'unsupported',
        `${uri} asks for the transport ${JSON.stringify(transport)}; only unix sockets and tcp are supported. ` +
          'Forward the socket of the other host (ssh -L) and name it with ?socket=.',
      );
  }
}

function systemSocket({ uri, url, driver }: ParsedUri): string {
  if (url.pathname === '/session') {
    throw new RpcError('unsupported', `${uri} means a daemon of one user, whose socket is not searched for. Name it with ?socket=.`);
  }
  const own = `${runDirectory}/virt${driver}d-sock`;
  return existsSync(own) ? own : `${runDirectory}/libvirt-sock`;
}

function driverUri(url: URL, query: URLSearchParams, driver: string): string {
  const name = query.get('name');
  if (name !== null) return name;
  const rest = [...query].filter(([key]) => !clientParameters.has(key.toLowerCase()));
  const suffix = rest.length === 0 ? '' : `?${rest.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&')}`;
  return `${driver}://${url.pathname}${suffix}`;
}
