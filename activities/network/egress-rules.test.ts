import { describe, expect, it } from 'vitest';
import type { Egress } from '../../workflows/contract/service.ts';
import { guestRules, noGuestRules, resolversIn } from './egress-rules.ts';

const uid = 2_000_020_001;
const open = { mode: 'filtered' as const, internet: true, allow: ['192.168.1.20', '10.20.0.0/16'] };
const rulesFor = (egress: Egress, resolvers = ['192.168.1.1', '127.0.0.53']): string =>
  guestRules({ table: 'cloudlet_test', guests: [{ uid, egress }], resolvers });
const chain = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('add rule inet cloudlet_test guest_2000020001 '))
    .map((line) => line.replace('add rule inet cloudlet_test guest_2000020001 ', ''));
const indexOf = (lines: readonly string[], sign: string): number => lines.findIndex((line) => line.includes(sign));

describe('guestRules', () => {
  it('are these, in this order', () => {
    expect(chain(rulesFor(open))).toEqual([
      'ct direction reply accept',
      'meta nfproto ipv6 reject',
      'ip daddr { 192.168.1.1, 127.0.0.53 } meta l4proto { tcp, udp } th dport 53 accept',
      'fib daddr type { local, broadcast, multicast, anycast } reject',
      'ip daddr { 192.168.1.20, 10.20.0.0/16 } accept',
      expect.stringMatching(/^ip daddr \{ .*10\.0\.0\.0\/8, .*169\.254\.0\.0\/16, .*192\.168\.0\.0\/16, .* \} reject$/),
      'accept',
    ]);
  });

  it('never let the guest reach the host, whatever the service lists', () => {
    const lines = chain(rulesFor({ ...open, allow: ['0.0.0.0/0'] }));
    expect(indexOf(lines, 'fib daddr type')).toBeLessThan(indexOf(lines, '0.0.0.0/0'));
  });

  it('end in a refusal where the Internet is not granted', () => {
    expect(chain(rulesFor({ ...open, internet: false, allow: [] })).at(-1)).toBe('reject');
  });

  it('mention no name server and no list where there is none: nftables takes no empty set', () => {
    const text = rulesFor({ ...open, allow: [] }, []);
    expect(text).not.toContain('dport 53');
    expect(text).not.toContain('{  }');
  });

  it('flush before they add, so that setting them again changes nothing', () => {
    const lines = rulesFor(open).split('\n');
    expect(indexOf(lines, 'flush chain inet cloudlet_test guest_2000020001')).toBeLessThan(indexOf(lines, 'ct direction reply'));
    expect(indexOf(lines, 'flush chain inet cloudlet_test output')).toBeLessThan(indexOf(lines, 'vmap @guests'));
  });
});

it('gives each guest a chain of its own', () => {
  const closed = { mode: 'none' } as const;
  const text = guestRules({
    table: 'cloudlet_test',
    guests: [
      { uid, egress: open },
      { uid: uid + 1, egress: closed },
    ],
    resolvers: [],
  });
  expect(chain(text).at(-1)).toBe('accept');
  expect(text).toContain(`add rule inet cloudlet_test guest_${uid + 1} reject`);
  expect(text).toContain(`{ ${uid + 1} : jump guest_${uid + 1} }`);
});

describe('noGuestRules', () => {
  it('make what they take away, so that nothing is missed when it is gone already', () => {
    const lines = noGuestRules('cloudlet_test', uid).split('\n');
    expect(indexOf(lines, 'add element')).toBeLessThan(indexOf(lines, 'delete element'));
    expect(indexOf(lines, 'add chain inet cloudlet_test guest_')).toBeLessThan(indexOf(lines, 'delete chain'));
    expect(lines.at(-1)).toBe('delete chain inet cloudlet_test guest_2000020001');
  });
});

describe('resolversIn', () => {
  it('are the IPv4 name servers', () => {
    const text =
      '# a comment\nsearch example\nnameserver 192.168.1.1\n  nameserver\t127.0.0.53  \nnameserver fe80::1\n#nameserver 9.9.9.9\n';
    expect(resolversIn(text)).toEqual(['192.168.1.1', '127.0.0.53']);
    expect(resolversIn('')).toEqual([]);
  });
});
