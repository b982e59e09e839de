import { describe, expect, it } from 'vitest';
import { heartbeatIntervalMs, isFresh } from './hosts.ts';

describe('isFresh', () => {
  it.each([
    [0, true],
    [heartbeatIntervalMs, true],
    [3 * heartbeatIntervalMs, true],
    [4 * heartbeatIntervalMs, false],
    [3_600_000, false],
  ])('of a heartbeat %i ms ago is %s', (agoMs, fresh) => {
    const nowMs = 1_800_000_000_000;
    expect(isFresh({ heartbeatAtMs: nowMs - agoMs }, nowMs)).toBe(fresh);
  });
});
