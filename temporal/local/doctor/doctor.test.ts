import { describe, expect, it } from 'vitest';
import { isAtLeast, versionIn } from '../version.ts';
import { judgeClock } from './check-clock.ts';
import { qemuUserIn } from './check-libvirt.ts';
import { listeningPorts } from './check-network.ts';
import { availableMemoryBytes, judgeFree } from './check-resources.ts';
import { formatReport } from './format-report.ts';
import { isPermitted, parseAccounts, permission } from './user-account.ts';

describe('what the doctor concludes', () => {
  it('from free room', () => {
    const limits = { failBelowBytes: 100, warnBelowBytes: 1000 };
    expect([1000, 999, 100, 99].map((free) => judgeFree('memory', free, limits, 'Buy some.').status)).toEqual([
      'ok',
      'warn',
      'warn',
      'fail',
    ]);
    expect(judgeFree('memory', 99, limits, 'Buy some.')).toMatchObject({ finding: '99 B of memory are free', remedy: 'Buy some.' });
    expect(availableMemoryBytes('MemTotal: 9 kB\nMemAvailable:   2048 kB\n')).toBe(2048 * 1024);
    expect(availableMemoryBytes('')).toBe(0);
  });

  it('from a clock', () => {
    const now = new Date('2026-11-22T10:00:00Z');
    expect(judgeClock(now, 3, true)).toEqual({ status: 'ok', finding: '2026-11-22T10:00:00.000Z, synchronized' });
    expect(judgeClock(now, 3, undefined).status).toBe('ok');
    expect(judgeClock(now, 3, false).status).toBe('warn');
    expect(judgeClock(now, -60, true)).toMatchObject({ status: 'warn', finding: 'the wall clock jumps: -60 ms in 200 ms' });
    expect(judgeClock(new Date(0), 0, undefined).status).toBe('fail');
  });

  it('from the user in qemu.conf', () => {
    expect(qemuUserIn('#user = "root"\n')).toBe('libvirt-qemu');
    expect(qemuUserIn('\n  user = "root"\n')).toBe('root');
    expect(qemuUserIn('user="+0"')).toBe('0');
  });

  it('from accounts and modes', () => {
    const [root, qemu, other] = parseAccounts('root:x:0:0::/:\nqemu:x:64055:994::/:\nother:x:1:1::/:\n', 'kvm:x:104:qemu,x\nempty:x:9:\n');
    const kvm = { mode: 0o020_660, uid: 0, gid: 104 };
    const readWrite = permission.read | permission.write;
    expect(qemu).toEqual({ name: 'qemu', uid: 64_055, groupIds: [994, 104] });
    expect([root, qemu, other].map((user) => user && isPermitted(kvm, user, readWrite))).toEqual([true, true, false]);
    expect(qemu && isPermitted({ ...kvm, gid: 7 }, qemu, readWrite)).toBe(false);
    expect(other && isPermitted({ mode: 0o700, uid: 1, gid: 1 }, other, permission.pass)).toBe(true);
  });

  it('from tables of sockets', () => {
    const table =
      '  sl  local_address rem_address   st\n   0: 00000000:4E20 00000000:0000 0A 0\n   1: 0100007F:4E21 0100007F:9999 01 0\n   2: 00000000:270F 00000000:0000 0A 0\n';
    expect(listeningPorts([table, table, ''], { first: 20_000, last: 20_010 })).toEqual([20_000]);
  });

  it('from versions', () => {
    expect(versionIn('QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg)')).toBe('7.2.22');
    expect(versionIn('none')).toBeUndefined();
    expect(isAtLeast('7.2.22', '7.2')).toBe(true);
    expect(isAtLeast('10.0', '9.2')).toBe(true);
    expect(isAtLeast('1.8.9', '1.9.0')).toBe(false);
    expect(isAtLeast('1', '1.0')).toBe(true);
  });
});

describe('formatReport', () => {
  it('says what is well in a line, and what is not with price and remedy', () => {
    const text = formatReport({
      healthy: false,
      results: [
        { id: 'a', title: 'Disk', status: 'ok', finding: 'plenty' },
        { id: 'b', title: 'Own name', status: 'fail', finding: 'it does not resolve', cost: '5 s', remedy: 'Add it.' },
      ],
    });
    expect(text.split('\n')).toEqual([
      '  ✓ Disk      plenty',
      '  ✗ Own name  it does not resolve',
      '              costs: 5 s',
      '              do:    Add it.',
      '',
      '  1 well, 0 to mind, 1 in the way',
    ]);
  });
});
