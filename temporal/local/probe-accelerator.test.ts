import { describe, expect, it } from 'vitest';
import { hasVirtualizationFlag } from './probe-accelerator.ts';
import { probeGuestDisk } from './probe-guest.ts';

describe('hasVirtualizationFlag', () => {
  it('looks for the flag itself, not for letters in another', () => {
    expect(hasVirtualizationFlag('processor\t: 0\nflags\t\t: fpu vmx sse\n')).toBe(true);
    expect(hasVirtualizationFlag('flags\t\t: fpu svm\n')).toBe(true);
    expect(hasVirtualizationFlag('flags\t\t: fpu svm_lock vmxish\nmodel name : vmx\n')).toBe(false);
    expect(hasVirtualizationFlag('')).toBe(false);
  });
});

describe('probeGuestDisk', () => {
  it('is a boot sector at the beginning of a disk', () => {
    const disk = probeGuestDisk();
    expect(disk).toHaveLength(1024 * 1024);
    expect(disk.subarray(510, 512)).toEqual(Buffer.from([0x55, 0xaa]));
  });
});
