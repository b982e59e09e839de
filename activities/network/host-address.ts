import { networkInterfaces } from 'node:os';
import { CloudletError } from '../../workflows/contract/errors.ts';

/**
 * The IPv4 address at which clients reach this host: the first of the named network adapter, else the first that is
 * not loopback, else loopback. Asked anew each time, so that answers follow a changed address.
 * @throws CloudletError `invalid-input` when the named adapter does not exist or has no IPv4 address
 */
export function hostAddress(adapter?: string): string {
  const interfaces = networkInterfaces();
  if (adapter !== undefined) {
    const address = interfaces[adapter]?.find(({ family }) => family === 'IPv4')?.address;
    if (address) return address;
    const known = Object.keys(interfaces).join(', ');
    throw new CloudletError(
      'invalid-input',
      `CLOUDLET_NETWORK_ADAPTER names "${adapter}", which has no IPv4 address. Adapters here: ${known}.`,
    );
  }
  const candidates = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  return candidates.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
