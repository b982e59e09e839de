import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { CloudletError } from '../../workflows/contract/errors.ts';

/**
 * The IPv4 address at which clients reach this host: the first of the named network adapter, else that of the default
 * route, else the first that is not loopback, else loopback. Asked anew each time, so that answers follow a changed address.
 * @throws CloudletError `invalid-input` when the named adapter does not exist or has no IPv4 address
 */
export function hostAddress(adapter?: string): string {
  const interfaces = networkInterfaces();
  const addressOf = (name: string) => interfaces[name]?.find(({ family }) => family === 'IPv4')?.address;
  if (adapter !== undefined) {
    const address = addressOf(adapter);
    if (address) return address;
    const known = Object.keys(interfaces).join(', ');
    throw new CloudletError(
      'invalid-input',
      `CLOUDLET_NETWORK_ADAPTER names "${adapter}", which has no IPv4 address. Adapters here: ${known}.`,
    );
  }
  const candidates = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  const routed = defaultRouteInterfaces(readFileSync('/proc/net/route', 'utf8')).map(addressOf);
  return (
    routed.find((address) => address !== undefined) ??
    candidates.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ??
    '127.0.0.1'
  );
}

const routeIsUp = 0x1;

/**
 * @param routes `/proc/net/route`: interface, destination, gateway, flags, …, metric (7th), mask
 * @returns the interfaces of the default routes, the preferred one first
 */
export const defaultRouteInterfaces = (routes: string): string[] =>
  routes
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, destination, , flags, , , , mask]) =>
        Number(`0x${destination}`) === 0 && Number(`0x${mask}`) === 0 && (Number(`0x${flags}`) & routeIsUp) !== 0,
    )
    .toSorted((one, other) => Number(one[6]) - Number(other[6]))
    .map(([name]) => name!);
