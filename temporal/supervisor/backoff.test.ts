import { expect, it } from 'vitest';
import { backoffDelayMs } from './backoff.ts';

it('doubles up to its limit', () => {
  const backoff = { firstMs: 100, maxMs: 1000, forgetAfterMs: 0 };
  expect([1, 2, 3, 4, 5, 1000].map((failures) => backoffDelayMs(backoff, failures))).toEqual([100, 200, 400, 800, 1000, 1000]);
});
