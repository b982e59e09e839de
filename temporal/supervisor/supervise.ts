import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { findSupervisor, takeDataDirLock } from './data-dir-lock.ts';
import { limitLog } from './log-file.ts';
import type { Part } from './part.ts';
import type { Report } from './report.ts';
import { startParts } from './start-parts.ts';

export interface SuperviseOptions<Facts extends object> {
  /** Says what to bring up. Called once no other supervisor can be in the way, so it may pick ports and the like. */
  readonly plan: () => Promise<readonly Part<Facts>[]> | readonly Part<Facts>[];
  readonly report: Report;
  /** Folder of the lock. */
  readonly runDir: string;
  /** Folder of the parts' logs; everything in it named `*.log` is kept small. */
  readonly logDir: string;
  /** Called once all parts are up. `degraded` are the titles of the optional ones that are not. */
  readonly onReady?: (facts: Partial<Facts>, degraded: readonly string[]) => Promise<void> | void;
  /** Called when it is asked to stop, before anything stops. */
  readonly onStopping?: () => void;
}

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** One Ctrl-C reaches us twice under npm: from the terminal, and passed on by npm. */
const echoMs = 500;
const limitLogsEveryMs = 10_000;

function limitLogs(logDir: string): void {
  for (const name of readdirSync(logDir)) {
    if (name.endsWith('.log')) limitLog(join(logDir, name));
  }
}

/**
 * Brings up all parts, keeps them up, and ends them in reverse order when this process gets SIGINT, SIGTERM or SIGHUP; a
 * second one ends them at once. One supervisor per data directory.
 *
 * @returns once everything has ended after a signal: the exit status for this process
 * @throws CloudletError `state-conflict` where another supervisor runs; what a required part that failed threw
 */
export async function supervise<Facts extends object>(options: SuperviseOptions<Facts>): Promise<number> {
  const { runDir, logDir, report } = options;
  const lock = takeDataDirLock(runDir);
  if (!lock) {
    const holder = findSupervisor(runDir)?.pid;
    throw new CloudletError(
      'state-conflict',
      `A cloudlet already runs on this data directory${holder === undefined ? '' : ` (process ${holder})`}. ` +
        'End it with npm stop, or set CLOUDLET_DATA_DIR and the ports for a second one.',
    );
  }

  const stop = new AbortController();
  const urgent = new AbortController();
  let firstAt = 0;
  const onSignal = (): void => {
    if (!stop.signal.aborted) {
      firstAt = performance.now();
      stop.abort();
    } else if (performance.now() - firstAt > echoMs) {
      urgent.abort();
    }
  };
  for (const signal of stopSignals) process.on(signal, onSignal);
  const limiting = setInterval(() => limitLogs(logDir), limitLogsEveryMs);
  limitLogs(logDir);

  try {
    const logOf = (part: string): string => join(logDir, `${part}.log`);
    const parts = await options.plan();
    const started = await startParts({ parts, report, logOf, signal: stop.signal, urgent: urgent.signal });
    try {
      await options.onReady?.(started.facts, started.degraded);
      await untilAborted(stop.signal);
      options.onStopping?.();
    } finally {
      await started.stop(urgent.signal);
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    clearInterval(limiting);
    for (const signal of stopSignals) process.off(signal, onSignal);
    lock.release();
  }
  return 0;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
