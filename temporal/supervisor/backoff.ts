/** How long to wait before something that died is started again. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
  /** After it has run for so long, the next wait is the first one again. */
  readonly forgetAfterMs: number;
}

export const restartBackoff: Backoff = { firstMs: 100, maxMs: 15_000, forgetAfterMs: 30_000 };

/** @param failures how many times in a row it has died or failed to start, 1 or more */
export const backoffDelayMs = (backoff: Backoff, failures: number): number =>
  Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(failures - 1, 30));
