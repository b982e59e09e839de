import { describe, expect, it } from 'vitest';
import { canFollow, joinableServiceVmStates, liveServiceVmStates, serviceVmStates, serviceVmTransitions } from './service-vm.ts';

describe('the states of a Service VM', () => {
  it('each lead to an end, and none out of it', () => {
    const ends: readonly string[] = ['stopped', 'failed'];
    const reaches = (from: (typeof serviceVmStates)[number], seen = new Set<string>()): Set<string> => {
      for (const next of serviceVmTransitions[from]) {
        if (seen.has(next)) continue;
        seen.add(next);
        reaches(next, seen);
      }
      return seen;
    };
    for (const state of serviceVmStates) {
      expect([...reaches(state)].filter((reached) => ends.includes(reached)).toSorted()).toEqual(
        ends.includes(state) ? [] : ends.toSorted(),
      );
    }
  });

  it('are live as long as something can follow', () => {
    expect(liveServiceVmStates).toEqual(serviceVmStates.filter((state) => serviceVmTransitions[state].length > 0));
  });

  it('take users only where they can still become, or are, ready', () => {
    expect(joinableServiceVmStates.filter((state) => state !== 'ready' && !canFollow(state, 'ready'))).toEqual(['requested']);
    expect(canFollow('requested', 'provisioning')).toBe(true);
    expect(joinableServiceVmStates).not.toContain('stopping');
  });

  it('never follow themselves', () => {
    for (const state of serviceVmStates) expect(canFollow(state, state)).toBe(false);
  });
});
