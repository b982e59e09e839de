import { describe, expect, it } from 'vitest';
import { guestRules, noGuestRules, resolversIn, type EgressRules } from './egress-rules.ts';

const rules: EgressRules = {
  table: 'cloudlet_test',
  uid: 2_000_020_001,
  egress: { mode: 'filtered', internet: true, allow: ['192.168.1.20', '10.20.0.0/16'] },
  resolvers: ['192.168.1.1', '127.0.0.53'],
};
const chain = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('add rule inet cloudlet_test guest_2000020001 '))
    .map((line) => line.replace('add rule inet cloudlet_test guest_2000020001 ', ''));
const indexOf = (lines: readonly string[], sign: string): number => lines.findIndex((line) => line.includes(sign));

describe('guestRules', () => {
  it('are these, in this order', () => {
    expect(chain(guestRules(rules))).toEqual([
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
    const lines = chain(guestRules({ ...rules, egress: { mode: 'filtered', internet: true, allow: ['0.0.0.0/0'] } }));
    expect(indexOf(lines, 'fib daddr type')).toBeLessThan(indexOf(lines, '0.0.0.0/0'));
  });

  it('end in a refusal where the Internet is not granted', () => {
    expect(chain(guestRules({ ...rules, egress: { mode: 'filtered', internet: false, allow: [] } })).at(-1)).toBe('reject');
  });

  it('mention no name server and no list where there is none: nftables takes no empty set', () => {
    const text = guestRules({ ...rules, resolvers: [], egress: { mode: 'filtered', internet: true, allow: [] } });
    expect(text).not.toContain('dport 53');
    expect(text).not.toContain('{  }');
  });

  it('flush before they add, so that setting them again changes nothing', () => {
    const lines = guestRules(rules).split('\n');
    expect(indexOf(lines, 'flush chain inet cloudlet_test guest_2000020001')).toBeLessThan(indexOf(lines, 'ct direction reply'));
    expect(indexOf(lines, 'flush chain inet cloudlet_test output')).toBeLessThan(indexOf(lines, 'vmap @guests'));
  });
});

describe('noGuestRules', () => {
  it('make what they take away, so that nothing is missed when it is gone already', () => {
    const lines = noGuestRules(rules).split('\n');
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
