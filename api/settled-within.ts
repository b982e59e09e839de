import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for an outcome, but not for ever.
 * @returns when there is one or the time is up; rejects with what the outcome rejects with in that time
 */
export async function settledWithin(outcome: Promise<unknown>, timeoutMs: number): Promise<void> {
  const enough = new AbortController();
  try {
    await Promise.race([outcome, sleep(timeoutMs, undefined, { signal: enough.signal }).catch(() => undefined)]);
  } finally {
    enough.abort();
  }
}
