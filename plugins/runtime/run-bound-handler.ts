/** One attempt of one event handler, within its time. */
import type { PluginEventName } from '../../workflows/contract/event.ts';
import { withDeadline } from './deadline.ts';
import type { EventContext } from './plugin.ts';
import type { BoundHandler } from './registrations.ts';

/** One call of one handler, as the workflow that raised the event asks for it. */
export interface HandlerCall {
  readonly event: PluginEventName;
  readonly handler: string;
  /** The event's payload. */
  readonly payload: unknown;
  readonly signal?: AbortSignal;
}

/** Absent `skipped`: the handler ran. */
export interface HandlerOutcome {
  readonly skipped?: string;
}

/**
 * @param payload what the workflow raised under the event that the handler was bound to
 * @param context its signal: the attempt is cancelled
 * @throws what the handler throws; the signal's reason when cancelled; an Error when its time is up. In each case the
 * handler's own signal is aborted, and what it does after that is ignored
 */
export async function runBoundHandler(
  { pluginId, handler, handle, timeoutMs }: BoundHandler,
  { payload, log, signal }: EventContext & { readonly payload: unknown },
): Promise<void> {
  const ended = new AbortController();
  const context: EventContext = { log, signal: AbortSignal.any([signal, ended.signal]) };
  const message = `Plugin "${pluginId}" did not finish its handler ${handler} within ${timeoutMs / 1000} s.`;
  try {
    await withDeadline(() => handle(payload as never, context), { timeoutMs, message, signal });
  } catch (error) {
    ended.abort(error);
    throw error;
  }
}
