/** A time limit for code that is not ours: what hangs in a plugin must not hang the process. */

export interface Deadline {
  readonly timeoutMs: number;
  /** Message of the rejection when the time is up. */
  readonly message: string;
  /** Gives up at once when aborted, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Calls `work` and settles as it does, unless its time is up first. What it comes to after that is ignored.
 * A synchronous throw of `work` is a rejection like any other.
 */
export async function withDeadline<Result>(
  work: () => Result | PromiseLike<Result>,
  { timeoutMs, message, signal }: Deadline,
): Promise<Result> {
  signal?.throwIfAborted();
  const { promise: givenUp, reject: giveUp } = Promise.withResolvers<never>();
  const onAbort = (): void => giveUp(signal?.reason);
  const timer = setTimeout(() => giveUp(new Error(message)), timeoutMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([givenUp, Promise.resolve().then(work)]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** What was thrown, in its own words: plugins may throw anything. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
