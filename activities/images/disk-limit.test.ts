import { describe, expect, it } from 'vitest';
import { testSpec } from '../../test/support/workflow-services.ts';
import { bytesPerMib } from '../../workflows/contract/units.ts';
import { diskLimitBytes } from './disk-limit.ts';

const limitMib = (purpose: 'serve' | 'warm' | 'build' | 'edit' | 'recipe', diskGrowthMib?: number) => {
  const spec = testSpec(diskGrowthMib === undefined ? {} : { diskGrowthMib });
  const bytes = diskLimitBytes({ purpose, spec });
  return bytes === undefined ? undefined : bytes / bytesPerMib;
};

describe('the size that the disk of an instance may reach', () => {
  it('is what its service says, and room for what qcow2 writes down about it', () => {
    expect(limitMib('serve', 64)).toBe(66);
    expect(limitMib('warm', 64)).toBe(66);
    expect(limitMib('serve', 100_000)).toBe(100_101);
  });

  it('is some where the service says none', () => expect(limitMib('serve')).toBe(8192 + 10));

  it.each(['build', 'edit', 'recipe'] as const)('is open for a %s: its disk becomes an image', (purpose) =>
    expect(limitMib(purpose, 64)).toBeUndefined(),
  );
});
