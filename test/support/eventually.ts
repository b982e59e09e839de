import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Repeats assertions until they hold.
 * @returns what the last repetition returned
 * @throws what they threw last, when they do not hold in time
 */
export async function eventually<T>(assertions: () => Promise<T> | T, deadlineMs = 10_000): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await assertions();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(50);
    }
  }
}
