import { setTimeout as sleep } from 'node:timers/promises';
import { backoffDelayMs, type Backoff } from './backoff.ts';
import type { Part, PartContext, RunningPart } from './part.ts';
import type { Report } from './report.ts';

export interface KeepOptions<Facts extends object> {
  readonly part: Part<Facts>;
  /** Made anew for each start, since what others tell may have changed. */
  readonly context: () => PartContext<Facts>;
  /** Told of each start that went well after the first. */
  readonly onStart: (running: RunningPart<Facts>) => void;
  readonly report: Report;
  readonly backoff: Backoff;
}

/** A part that has been started once and is kept up until it is stopped. */
export interface KeptPart {
  /** Ends it and stops keeping it up; at once when `urgent` is aborted. */
  stop(urgent: AbortSignal): Promise<void>;
}

/**
 * Watches a part and starts it again whenever it ends, later and later while it keeps failing.
 *
 * @param first the part as it runs now; undefined where its first start failed and it is to be tried again
 */
export function keepPart<Facts extends object>(options: KeepOptions<Facts>, first: RunningPart<Facts> | undefined): KeptPart {
  const { part, report, backoff } = options;
  const stopping = new AbortController();
  let running = first;
  let failures = first ? 0 : 1;
  // The same words again and again help nobody.
  let failureIsTold = first === undefined;

  const restart = async (): Promise<void> => {
    await sleep(backoffDelayMs(backoff, Math.max(1, failures)), undefined, { signal: stopping.signal });
    const begun = performance.now();
    try {
      running = await part.start(options.context());
      options.onStart(running);
      failureIsTold = false;
      report.started(part.title, performance.now() - begun, running.detail);
    } catch (error) {
      failures += 1;
      if (!failureIsTold && !stopping.signal.aborted) report.failed(part.title, performance.now() - begun, messageOf(error));
      failureIsTold = true;
    }
  };

  const watch = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      if (running?.ended) {
        const begun = performance.now();
        const reason = await Promise.race([running.ended, untilAborted(stopping.signal)]);
        if (stopping.signal.aborted) return;
        failures = performance.now() - begun > backoff.forgetAfterMs ? 1 : failures + 1;
        report.note(`${part.title} ${reason}; it is started again.`);
        running = undefined;
      } else if (running) {
        return;
      }
      await restart();
    }
  };
  const watching = watch().catch(() => {});

  return {
    async stop(urgent) {
      stopping.abort();
      await watching;
      await running?.stop?.(urgent);
    },
  };
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function untilAborted(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve('stopped'), { once: true }));
}
