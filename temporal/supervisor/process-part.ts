import type { Part } from './part.ts';
import { startChild, waitUntilReady } from './start-child.ts';

export interface ProcessPartOptions<Facts extends object> {
  readonly name: string;
  readonly title: string;
  readonly needs?: readonly string[];
  readonly optional?: boolean;
  readonly argv: readonly [string, ...string[]];
  /** The whole environment, made from what the parts before it have told. */
  readonly environment: (facts: Partial<Facts>) => Readonly<Record<string, string>>;
  readonly workingDir?: string;
  /**
   * Asked until it says yes. `'message'` = the process is Node and calls `process.send('ready')` when it works.
   */
  readonly ready: 'message' | ((facts: Partial<Facts>) => Promise<boolean>);
  readonly readyDeadlineMs?: number;
  readonly stopDeadlineMs?: number;
  readonly detail: string;
  /** What it tells others once it is ready. */
  readonly facts?: Partial<Facts>;
}

/** A part that is one process of ours, e.g. the worker. */
export function processPart<Facts extends object>(options: ProcessPartOptions<Facts>): Part<Facts> {
  const { name, title, needs, optional, ready } = options;
  return {
    name,
    title,
    ...(needs && { needs }),
    ...(optional !== undefined && { optional }),
    async start({ facts, logPath, signal }) {
      const child = startChild({
        argv: options.argv,
        environment: options.environment(facts),
        logPath,
        tellsReady: ready === 'message',
        ...(options.workingDir !== undefined && { workingDir: options.workingDir }),
        ...(options.stopDeadlineMs !== undefined && { stopDeadlineMs: options.stopDeadlineMs }),
      });
      await waitUntilReady(child, {
        title,
        logPath,
        deadlineMs: options.readyDeadlineMs ?? 60_000,
        signal,
        isReady: () => (ready === 'message' ? child.saidReady() : ready(facts)),
      });
      return {
        detail: options.detail,
        ended: child.ended,
        stop: (urgent) => child.stop(urgent),
        ...(options.facts && { facts: options.facts }),
      };
    },
  };
}
