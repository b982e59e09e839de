import { Context } from '@temporalio/activity';
import { msPerSecond } from '../workflows/contract/units.ts';

/** Often enough for a heartbeat timeout of five seconds, and for a cancellation to be heard of within one: it travels with them. */
const intervalMs = msPerSecond / 2;

/**
 * Runs the work of an activity that may take longer than a moment: says that it lives, so that a killed worker is
 * noticed within seconds, and hands on the signal by which Temporal cancels it.
 * Work that was cancelled is told as that, whatever it fails of then.
 * How long the work may take is bounded by the activity's own timeout.
 */
export async function withHeartbeat<T>(work: (signal: AbortSignal, report: (details: unknown) => void) => Promise<T>): Promise<T> {
  const context = Context.current();
  let details: unknown;
  const beat = () => context.heartbeat(details);
  const timer = setInterval(beat, intervalMs);
  beat();
  try {
    return await work(context.cancellationSignal, (latest) => {
      details = latest;
    });
  } catch (error) {
    context.cancellationSignal.throwIfAborted();
    throw error;
  } finally {
    clearInterval(timer);
  }
}
