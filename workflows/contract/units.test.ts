import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration } from './units.ts';

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [99.9 * 1024, '99.9 KiB'],
    [512 * 1024 * 1024, '512 MiB'],
    [1024 ** 3 - 1, '1.0 GiB'],
    [1.25 * 1024 ** 3, '1.3 GiB'],
    [2 ** 50, '1024 TiB'],
  ])('%i is %s', (sizeBytes, text) => {
    expect(formatBytes(sizeBytes)).toBe(text);
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0 ms'],
    [340.4, '340 ms'],
    [999.6, '1.0 s'],
    [1000, '1.0 s'],
    [2449, '2.4 s'],
    [59_999, '1 min 00 s'],
    [60_000, '1 min 00 s'],
    [185_000, '3 min 05 s'],
    [3_600_000, '1 h 00 min'],
    [7_800_000, '2 h 10 min'],
    [7_199_999, '2 h 00 min'],
  ])('%d ms is %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });
});
