import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HypervisorFingerprint } from '../../workflows/contract/cloudlet.ts';
import { serviceSpecDefaults, type ServiceSpec } from '../../workflows/contract/service.ts';
import type { StartRung } from '../../workflows/contract/service-vm.ts';
import { sameFingerprint, startOptions, type SavedState } from './start-options.ts';

const here: HypervisorFingerprint = { accelerator: 'tcg', qemuVersion: '7.2.22', machine: 'pc-q35-7.2', cpuModel: 'maximum' };
const unsaved: SavedState = { memoryMib: null, vcpus: null, savedUnder: null };
const saved: SavedState = { memoryMib: 512, vcpus: 1, savedUnder: here };

const specOf = (minimumMib: number, idealMib: number, vcpus = 1): ServiceSpec => ({
  ...serviceSpecDefaults,
  tags: [],
  serviceId: 'test',
  ports: [{ name: 'http', protocol: 'tcp', guestPort: 80 }],
  readiness: { kind: 'none' },
  vcpus,
  memory: { minimumMib, idealMib },
});

describe('startOptions', () => {
  it('restores first where it can, and boots with less memory last', () => {
    expect(startOptions(specOf(256, 512), saved, here)).toEqual([
      { memoryMib: 512, rungs: ['restore', 'cold-boot'] },
      { memoryMib: 256, rungs: ['cold-boot'] },
    ]);
  });

  it('boots cold where nothing was saved', () => {
    expect(startOptions(specOf(256, 512), unsaved, here)).toEqual([
      { memoryMib: 512, rungs: ['cold-boot'] },
      { memoryMib: 256, rungs: ['cold-boot'] },
    ]);
    expect(startOptions(specOf(512, 512), unsaved, here)).toEqual([{ memoryMib: 512, rungs: ['cold-boot'] }]);
  });

  it('keeps the memory that a state was saved with, though the service wants another now', () => {
    expect(startOptions(specOf(256, 1024), saved, here).map(({ memoryMib, rungs }) => [memoryMib, rungs[0]])).toEqual([
      [512, 'restore'],
      [1024, 'cold-boot'],
      [256, 'cold-boot'],
    ]);
    // Less than the service can boot with: what was saved can be restored, but not booted.
    expect(startOptions(specOf(768, 1024), saved, here)[0]).toEqual({ memoryMib: 512, rungs: ['restore'] });
  });

  it.each([
    ['another QEMU', { ...here, qemuVersion: '9.0.0' }],
    ['another accelerator', { ...here, accelerator: 'kvm' as const }],
    ['another machine', { ...here, machine: 'pc-q35-9.0' }],
    ['another CPU', { ...here, cpuModel: 'host-passthrough' }],
    ['a hypervisor that does not say', null],
  ])('never restores under %s', (_, fingerprint) => {
    expect(startOptions(specOf(256, 512), saved, fingerprint).flatMap(({ rungs }) => rungs)).toEqual(['cold-boot', 'cold-boot']);
  });

  it('never restores with another number of vCPUs', () => {
    expect(startOptions(specOf(256, 512, 2), saved, here).flatMap(({ rungs }) => rungs)).not.toContain('restore');
  });

  it('always offers the ideal, at least one way each, and never less than the minimum but by restore', () => {
    const mib = fc.integer({ min: 32, max: 4096 });
    fc.assert(
      fc.property(mib, mib, fc.option(mib), fc.boolean(), (a, b, savedMib, sameHypervisor) => {
        const spec = specOf(Math.min(a, b), Math.max(a, b));
        const image = { memoryMib: savedMib, vcpus: savedMib === null ? null : 1, savedUnder: here };
        const options = startOptions(spec, image, sameHypervisor ? here : null);
        expect(options.some(({ memoryMib }) => memoryMib === spec.memory.idealMib)).toBe(true);
        const memoryOf = (rung: StartRung) => options.filter(({ rungs }) => rungs.includes(rung)).map(({ memoryMib }) => memoryMib);
        expect(options.every(({ rungs }) => rungs.length > 0)).toBe(true);
        expect(memoryOf('cold-boot').every((memoryMib) => memoryMib >= spec.memory.minimumMib)).toBe(true);
        expect(memoryOf('restore')).toEqual(sameHypervisor && savedMib !== null ? [savedMib] : []);
        expect(new Set(options.map(({ memoryMib }) => memoryMib)).size).toBe(options.length);
      }),
    );
  });
});

describe('sameFingerprint', () => {
  it('is of equal facts, and never of none', () => {
    expect(sameFingerprint(here, { ...here })).toBe(true);
    expect(sameFingerprint(null, null)).toBe(false);
    expect(sameFingerprint(here, null)).toBe(false);
  });
});
