import { setTimeout as sleep } from 'node:timers/promises';

export interface PollOptions {
  readonly deadlineMs: number;
  /** Default 50 ms. */
  readonly everyMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Asks again and again until the answer is neither undefined nor false. An exception counts as no answer.
 *
 * @returns the answer, or undefined when the deadline passed or the signal was aborted first
 */
export async function pollUntil<Answer>(
  ask: () => Promise<Answer | undefined | false> | Answer | undefined | false,
  { deadlineMs, everyMs = 50, signal }: PollOptions,
): Promise<Answer | undefined> {
  const deadline = performance.now() + deadlineMs;
  const isStopped = (): boolean => signal?.aborted === true;
  while (!isStopped()) {
    const answer = await Promise.resolve()
      .then(ask)
      .catch(() => undefined);
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() + everyMs > deadline) return undefined;
    await sleep(everyMs, undefined, signal && { signal }).catch(() => undefined);
  }
  return undefined;
}
