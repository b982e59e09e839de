/** A function that may be called as often as one likes. */
export interface Throttled {
  (): void;
  /** Forgets the call that is still to come. */
  cancel(): void;
}

/**
 * Runs at once, and again after the interval if it was called meanwhile: a burst of calls costs two runs and the last
 * one sees everything.
 */
export function throttle(run: () => void, intervalMs: number): Throttled {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again = false;
  const start = (): void => {
    run();
    timer = setTimeout(() => {
      timer = undefined;
      if (!again) return;
      again = false;
      start();
    }, intervalMs);
  };
  const call = (): void => {
    if (timer === undefined) start();
    else again = true;
  };
  return Object.assign(call, {
    cancel(): void {
      clearTimeout(timer);
      timer = undefined;
      again = false;
    },
  });
}
