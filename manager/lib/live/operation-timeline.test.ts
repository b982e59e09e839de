import { describe, expect, it } from 'vitest';
import { timelineOf, type TimelineMessage } from './operation-timeline.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 10, 22, 18, 0, second)).toISOString();
const progress = (second: number, phase: string, step: number, message = phase): TimelineMessage => ({
  kind: 'progress',
  at: at(second),
  progress: { phase, step, steps: 5, message },
});

describe('timelineOf', () => {
  it('ends a step where the next one begins, and keeps its last words', () => {
    const steps = timelineOf([progress(1, 'prepare', 1, 'Checking'), progress(2, 'prepare', 1, 'Converting'), progress(4, 'clone', 2)]);
    expect(steps).toEqual([
      { phase: 'prepare', step: 1, message: 'Converting', startedAt: at(1), endedAt: at(4) },
      { phase: 'clone', step: 2, message: 'clone', startedAt: at(4), endedAt: null },
    ]);
  });

  it('ends the last step with the operation', () => {
    const steps = timelineOf([progress(1, 'reserve', 1), { kind: 'ended', at: at(3), state: 'failed' }]);
    expect(steps.map(({ endedAt }) => endedAt)).toEqual([at(3)]);
  });

  it('shows a step again that was gone back to', () => {
    const steps = timelineOf([progress(1, 'restore', 3), progress(2, 'probe', 4), progress(3, 'cold-boot', 3), progress(9, 'probe', 4)]);
    expect(steps.map(({ phase }) => phase)).toEqual(['restore', 'probe', 'cold-boot', 'probe']);
  });

  it('has nothing to show of an operation that has not begun', () => {
    expect(timelineOf([])).toEqual([]);
    expect(timelineOf([{ kind: 'ended', at: at(1), state: 'cancelled' }])).toEqual([]);
  });
});
