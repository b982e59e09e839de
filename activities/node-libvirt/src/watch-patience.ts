import { abortError } from './abort-error.ts';
import type { CallOptions } from './caller.ts';
import { RpcError } from './errors.ts';

/** The longest a timer can wait; a call that may take longer needs none. */
const maxTimerMs = 2 ** 31 - 1;

interface Patience {
  readonly options: CallOptions;
  /** What waits, for the message: `The call nodeGetInfo`. */
  readonly what: string;
  /** Says what did not happen in time. */
  readonly timedOut: string;
}

/**
 * Calls `giveUp` once, when the signal is aborted or the time is over.
 * @returns a function that ends the watch
 */
export function watchPatience({ options: { signal, timeoutMs }, what, timedOut }: Patience, giveUp: (error: RpcError) => void): () => void {
  const end = () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  };
  const finish = (error: RpcError) => {
    end();
    giveUp(error);
  };
  const onAbort = () => signal && finish(abortError(signal, what));
  const hasTimer = timeoutMs !== undefined && timeoutMs <= maxTimerMs;
  const timer = hasTimer ? setTimeout(() => finish(new RpcError('timeout', `${timedOut} within ${timeoutMs} ms.`)), timeoutMs) : undefined;
  signal?.addEventListener('abort', onAbort, { once: true });
  return end;
}
