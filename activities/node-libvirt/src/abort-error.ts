import { RpcError } from './errors.ts';

/** What an aborted signal means for the caller: `timeout` if a clock aborted it, else `aborted`. The signal's reason is the cause. */
export function abortError(signal: AbortSignal, what: string): RpcError {
  const cause: unknown = signal.reason;
  if (cause instanceof RpcError) return cause;
  if (cause instanceof DOMException && cause.name === 'TimeoutError') return new RpcError('timeout', `${what} took too long.`, { cause });
  return new RpcError('aborted', `${what} was aborted.`, { cause });
}
