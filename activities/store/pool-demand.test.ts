import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { largestBurst, poolTarget } from './pool-demand.ts';

describe('largestBurst', () => {
  it.each([
    [[], 1000, 0],
    [[5], 1000, 1],
    [[0, 500, 1000, 5000], 1000, 3],
    [[0, 2000, 4000], 1000, 1],
    [[0, 1001, 1500, 1900, 2001, 9000], 1000, 4],
  ])('of %j within %i ms is %i', (timesMs, windowMs, most) => expect(largestBurst(timesMs, windowMs)).toBe(most));

  it('is what counting from each time on gives', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 10_000 })), fc.integer({ min: 0, max: 3_000 }), (times, windowMs) => {
        const sorted = times.toSorted((a, b) => a - b);
        const counts = sorted.map((from) => sorted.filter((timeMs) => timeMs >= from && timeMs <= from + windowMs).length);
        expect(largestBurst(sorted, windowMs)).toBe(Math.max(0, ...counts));
      }),
    );
  });
});

describe('poolTarget', () => {
  it('is one where nobody has asked yet', () => expect(poolTarget({ poolSize: 8, startsAtMs: [], refillMs: 500 })).toBe(1));

  it('is what came while the pool would have been filled again', () => {
    const startsAtMs = [0, 1000, 2000, 3000, 60_000];
    expect(poolTarget({ poolSize: 8, startsAtMs, refillMs: 500 })).toBe(4);
    expect(poolTarget({ poolSize: 8, startsAtMs, refillMs: 125 })).toBe(2);
  });

  it('is never beyond what is allowed', () => {
    expect(poolTarget({ poolSize: 3, startsAtMs: Array.from({ length: 50 }, () => 7), refillMs: 500 })).toBe(3);
  });
});
