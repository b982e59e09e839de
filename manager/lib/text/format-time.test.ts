import { describe, expect, it } from 'vitest';
import { formatAge, formatAgo, formatUtc } from './format-time.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

describe('formatAge', () => {
  it.each([
    [-5 * second, '0 s'],
    [0, '0 s'],
    [59_999, '59 s'],
    [minute, '1 min'],
    [59 * minute + 59 * second, '59 min'],
    [hour, '1 h'],
    [2 * hour + 10 * minute, '2 h 10 min'],
    [23 * hour + 59 * minute, '23 h 59 min'],
    [24 * hour, '1 d'],
    [400 * 24 * hour, '400 d'],
  ])('of %d ms is %s', (ageMs, text) => {
    expect(formatAge(ageMs)).toBe(text);
  });
});

describe('formatAgo', () => {
  it('does not count the first moments', () => {
    expect(formatAgo(1_900)).toBe('just now');
    expect(formatAgo(-3_000)).toBe('just now');
    expect(formatAgo(2_000)).toBe('2 s ago');
  });
});

describe('formatUtc', () => {
  it('names the zone', () => {
    expect(formatUtc('2026-11-22T19:05:11.932+01:00')).toBe('2026-11-22 18:05:11 UTC');
  });
});
