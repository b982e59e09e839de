import { setTimeout as sleep } from 'node:timers/promises';
import { CloudletError, fromProblem } from '../../workflows/contract/errors.ts';
import type { OperationBody } from '../../workflows/contract/http.ts';
import type { Progress } from '../../workflows/contract/operation.ts';
import type { ApiClient } from './api-client.ts';
import { say, type Output } from './output.ts';
import { progressLine } from './progress-bar.ts';

export interface WatchOptions extends Output {
  /** Whether to say nothing meanwhile: the caller shows what comes of it. */
  readonly quiet?: boolean;
  /** An event that is far enough, short of its end. */
  readonly until?: string;
  /** For how long a cloudlet that is away is waited for, and the pause before it is asked again. */
  readonly patience?: { readonly tries: number; readonly pauseMs: number };
}

const usualPatience = { tries: 60, pauseMs: 1_000 } as const;
/** A connection that merely broke is back sooner. */
const saidAfter = 3;

/**
 * Shows how an operation goes on until it has ended, or has come so far: a bar that moves on a terminal, a line a step
 * elsewhere. It goes on watching when the connection breaks, or the cloudlet is started again meanwhile.
 * @throws CloudletError what it failed of
 */
export async function watchOperation(api: ApiClient, id: string, options: WatchOptions): Promise<OperationBody> {
  const { until, patience = usualPatience } = options;
  const show = shower(options);
  let lastEventId = '';
  let enough = false;
  let failures = 0;
  try {
    for (;;) {
      try {
        for await (const { id: eventId, event, data } of api.events(`/v1/operations/${encodeURIComponent(id)}/events`, lastEventId)) {
          lastEventId = eventId;
          failures = 0;
          const progress = event === 'operation.progress' ? (data as unknown as Progress) : undefined;
          show.event({ event, ...data }, progress);
          enough = event === until;
          if (enough) break;
        }
        const operation = await api.request<OperationBody>('GET', `/v1/operations/${encodeURIComponent(id)}`);
        if (operation.problem && operation.state !== 'running') throw fromProblem(operation.problem);
        if (enough || operation.state !== 'running') return operation;
      } catch (error) {
        failures += 1;
        if (!(error instanceof CloudletError && error.kind.retryable)) throw error;
        if (failures === saidAfter && !options.quiet) process.stderr.write(`\n${error.message} Waiting for it.\n`);
        if (failures >= patience.tries) {
          throw new CloudletError(error.code, `${error.message} The operation goes on without us: cloudlet operation watch ${id}`);
        }
      }
      await sleep(patience.pauseMs);
    }
  } finally {
    show.end();
  }
}

function shower({ json, quiet = false }: WatchOptions) {
  const bar = process.stdout.isTTY && !json && !quiet;
  let shown = '';
  return {
    event: (event: object, progress: Progress | undefined): void => {
      if (quiet) return;
      if (json) say(JSON.stringify(event));
      else if (progress) {
        const line = progressLine(progress);
        if (bar) process.stdout.write(`\r\u001b[K${line}`);
        else if (line !== shown) say(line);
        shown = line;
      }
    },
    end: (): void => {
      if (bar) process.stdout.write('\r\u001b[K');
    },
  };
}
