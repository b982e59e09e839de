import { describe, expect, it } from 'vitest';
import { progressPercent, progressText } from './progress-text.ts';

const base = { phase: 'clone', step: 3, steps: 5, message: 'Cloning the disk' };

describe('progressPercent', () => {
  it('counts the steps that are done and the known part of the one under way', () => {
    expect(progressPercent({ ...base, step: 1 })).toBe(0);
    expect(progressPercent(base)).toBe(40);
    expect(progressPercent({ ...base, percent: 50 })).toBe(50);
    expect(progressPercent({ ...base, step: 5, percent: 100 })).toBe(100);
  });

  it('stays within its bounds whatever it is told', () => {
    expect(progressPercent({ ...base, step: 0 })).toBe(0);
    expect(progressPercent({ ...base, step: 9, percent: 100 })).toBe(100);
    expect(progressPercent({ ...base, step: 0, steps: 0 })).toBeUndefined();
  });
});

describe('progressText', () => {
  it('says step, percent and bytes as far as they are known', () => {
    expect(progressText(base)).toBe('Step 3 of 5: Cloning the disk');
    expect(progressText({ ...base, percent: 41.6, bytesDone: 1_288_490_189, bytesTotal: 3_113_851_290 })).toBe(
      'Step 3 of 5: Cloning the disk, 42 %, 1.2 GiB of 2.9 GiB',
    );
    expect(progressText({ ...base, steps: 0, step: 0, bytesDone: 2048 })).toBe('Cloning the disk, 2.0 KiB');
  });
});
