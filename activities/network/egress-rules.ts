import type { Egress } from '../../workflows/contract/service.ts';

/** What a guest may reach, by the uid that its QEMU runs under. */
export interface FilteredGuest {
  readonly uid: number;
  readonly egress: Egress;
}

/** What guests may reach, to be told as rules of nftables. Pure. */
export interface EgressRules {
  readonly table: string;
  readonly guests: readonly FilteredGuest[];
  /** IPv4 addresses of the host's name servers, which QEMU asks on the guest's behalf. */
  readonly resolvers: readonly string[];
}

/** Networks that are nobody's or somebody else's private ones: never reached unless the service lists them. */
const privateNetworks = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

const chainOf = (uid: number): string => `guest_${uid}`;
const set = (items: readonly string[]): string => `{ ${items.join(', ')} }`;

/**
 * Each guest's own chain, and the rule that leads to it. The host itself comes before what the service lists: it is never
 * reached, on any of its addresses, except where its name server listens.
 */
export function guestRules({ table, guests, resolvers }: EgressRules): string {
  const ownRules = ({ uid, egress }: FilteredGuest): string[] => {
    const chain = chainOf(uid);
    const lines = ['ct direction reply accept', 'meta nfproto ipv6 reject', ...waysOut(egress, resolvers)];
    return [
      `add chain inet ${table} ${chain}`,
      `flush chain inet ${table} ${chain}`,
      ...lines.map((line) => `add rule inet ${table} ${chain} ${line}`),
      `add element inet ${table} guests { ${uid} : jump ${chain} }`,
    ];
  };
  return [...baseRules(table), ...guests.flatMap(ownRules)].join('\n');
}

function waysOut(egress: Egress, resolvers: readonly string[]): string[] {
  if (egress.mode === 'none') return ['reject'];
  return [
    ...(resolvers.length > 0 ? [`ip daddr ${set(resolvers)} meta l4proto { tcp, udp } th dport 53 accept`] : []),
    'fib daddr type { local, broadcast, multicast, anycast } reject',
    ...(egress.allow.length > 0 ? [`ip daddr ${set(egress.allow)} accept`] : []),
    `ip daddr ${set(privateNetworks)} reject`,
    egress.internet ? 'accept' : 'reject',
  ];
}

const baseRules = (table: string): string[] => [
  `add table inet ${table}`,
  `add map inet ${table} guests { type uid : verdict; }`,
  `add chain inet ${table} output { type filter hook output priority 0; policy accept; }`,
  `flush chain inet ${table} output`,
  `add rule inet ${table} output meta skuid vmap @guests`,
];

/** Takes a guest's rules away; fine when some of them are gone already. */
export function noGuestRules(table: string, uid: number): string {
  const chain = chainOf(uid);
  return [
    ...baseRules(table),
    `add chain inet ${table} ${chain}`,
    `add element inet ${table} guests { ${uid} : jump ${chain} }`,
    `delete element inet ${table} guests { ${uid} }`,
    `delete chain inet ${table} ${chain}`,
  ].join('\n');
}

/** IPv4 name servers in a resolv.conf(5). */
export const resolversIn = (text: string): string[] =>
  [...text.matchAll(/^\s*nameserver\s+(\d{1,3}(?:\.\d{1,3}){3})\s*$/gm)].map(([, address]) => address!);
