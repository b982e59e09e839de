/** Types for the npm package `multicast-dns`, which has none: as much of it as the tests use. */
import { createRequire } from 'node:module';

export type MdnsRecord =
  | { readonly type: 'PTR'; readonly name: string; readonly ttl?: number; readonly data: string }
  | {
      readonly type: 'SRV';
      readonly name: string;
      readonly ttl?: number;
      readonly data: { readonly target: string; readonly port: number };
    }
  | { readonly type: 'TXT'; readonly name: string; readonly ttl?: number; readonly data: readonly Buffer[] }
  | { readonly type: 'A'; readonly name: string; readonly ttl?: number; readonly data: string };

export interface MdnsPacket {
  readonly questions: readonly { readonly name: string; readonly type: string }[];
  readonly answers: readonly MdnsRecord[];
  readonly additionals: readonly MdnsRecord[];
}

export interface Mdns {
  on(event: 'query' | 'response', listener: (packet: MdnsPacket) => void): void;
  on(event: 'ready', listener: () => void): void;
  query(name: string, type: string): void;
  respond(answers: readonly MdnsRecord[]): void;
  destroy(): void;
}

const create: (options: { readonly interface: string; readonly bind: string }) => Mdns = createRequire(import.meta.url)('multicast-dns');

/**
 * Speaks on one network interface, by its address. Left to itself the package binds to that address alone, where no
 * multicast arrives.
 */
export const multicastDns = (address: string): Mdns => create({ interface: address, bind: '0.0.0.0' });
