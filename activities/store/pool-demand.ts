/** How many instances a pool keeps warm. Pure. */
export interface PoolDemand {
  /** The most that the service's author allows. */
  readonly poolSize: number;
  /** When instances were asked for lately, ms, the earliest first. */
  readonly startsAtMs: readonly number[];
  /** What it takes to bring up one. */
  readonly refillMs: number;
}

/**
 * As many as were asked for, at the most, within the time that it takes to fill the whole pool again: that many may be
 * claimed before the first of them is replaced. At least one, so that the first user need not wait.
 */
export function poolTarget({ poolSize, startsAtMs, refillMs }: PoolDemand): number {
  return Math.min(poolSize, Math.max(1, largestBurst(startsAtMs, poolSize * refillMs)));
}

/** @param timesMs in order @returns the most of them that lie within one window */
export function largestBurst(timesMs: readonly number[], windowMs: number): number {
  let largest = 0;
  let first = 0;
  for (const [index, timeMs] of timesMs.entries()) {
    while (timeMs - timesMs[first]! > windowMs) first += 1;
    largest = Math.max(largest, index - first + 1);
  }
  return largest;
}
