import { InvalidArgumentError } from 'commander';
import type { ServicePort } from '../../workflows/contract/service.ts';

/** `8080`, `7/udp`, `ssh=22`, `dns=53/udp` */
export function parsePort(text: string): ServicePort {
  const match = /^(?:([a-z][a-z0-9-]{0,14})=)?(\d{1,5})(?:\/(tcp|udp))?$/.exec(text);
  const guestPort = Number(match?.[2]);
  if (!match || guestPort < 1 || guestPort > 65_535) {
    throw new InvalidArgumentError('Write a port like 8080, 7/udp or ssh=22.');
  }
  const protocol = match[3] === 'udp' ? 'udp' : 'tcp';
  return { name: match[1] ?? `${protocol}-${guestPort}`, protocol, guestPort };
}

export const collectPorts = (text: string, before: readonly ServicePort[] = []): readonly ServicePort[] => [...before, parsePort(text)];
