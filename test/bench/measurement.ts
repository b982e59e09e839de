/** One figure, with what the machine itself allows beside it, measured in the same run. */
export interface Measurement {
  readonly name: string;
  readonly unit: 'ms' | 'MiB' | 'requests/s' | 's';
  readonly value: number;
  /** The same without us; null where there is no such thing. */
  readonly floor: number | null;
  /** value / floor, two decimals. */
  readonly ratio: number | null;
  /** What we promise, in words. */
  readonly aim: string;
  readonly met: boolean;
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** @param isMet whether the figure keeps the promise */
export function measurement(
  given: Pick<Measurement, 'name' | 'unit' | 'value' | 'floor' | 'aim'>,
  isMet: (value: number, floor: number) => boolean,
): Measurement {
  const { value, floor } = given;
  return {
    ...given,
    value: round(value),
    floor: floor === null ? null : round(floor),
    ratio: floor === null ? null : round(value / floor),
    met: isMet(value, floor ?? 0),
  };
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** How long something takes, ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
