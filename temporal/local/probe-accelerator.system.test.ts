import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bootProbeGuest, probeAccelerator } from './probe-accelerator.ts';

describe('the probe guest', () => {
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'probe-accelerator-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('comes to its end where guests run', async () => {
    expect(await bootProbeGuest('tcg', folder)).toEqual({ booted: true, trace: 'RLHIB', complaint: '' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('decides what this host can do, and remembers it', async () => {
    const finding = await probeAccelerator(folder);
    expect(['kvm', 'tcg']).toContain(finding.accelerator);
    expect(finding.reason).toMatch(/\.$/);
    const begun = performance.now();
    expect(await probeAccelerator(folder)).toEqual(finding);
    expect(performance.now() - begun).toBeLessThan(50);
  });
});
