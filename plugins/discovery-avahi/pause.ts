/** Waiting that an abort cuts short. */
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves after the time, or at once when aborted. Never rejects. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> => delay(ms, undefined, { signal }).catch(() => undefined);

/** Resolves when aborted. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
