import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Reported } from '../../workflows/contract/activities.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { asDiskError } from '../../activities/run-tool.ts';
import { asStoreError, type Store } from '../../activities/store/store.ts';
import { recordProgress } from '../../activities/store/operations.ts';

/**
 * Around every activity: records the progress that its input carries, and gives errors of ours the form in which they
 * keep their code on the way through Temporal. Whether a failure is retried stands in the catalogue alone.
 */
export const activityInterceptor =
  (store: Store, log: Logger): (() => { inbound: ActivityInboundCallsInterceptor }) =>
  () => ({
    inbound: {
      async execute(input, next) {
        const { progress } = (input.args[0] ?? {}) as Reported;
        const recorded = progress
          ? recordProgress(store, progress.operationId, progress).catch((error: unknown) =>
              log.warn({ error }, 'Progress was not recorded'),
            )
          : undefined;
        try {
          return await next(input);
        } catch (error) {
          throw asFailure(asDiskError(asStoreError(error)));
        } finally {
          await recorded;
        }
      },
    },
  });

function asFailure(error: unknown): unknown {
  if (!(error instanceof CloudletError)) return error;
  const { code, message, facts, kind } = error;
  return ApplicationFailure.create({ type: code, message, nonRetryable: !kind.retryable, details: [facts], cause: error });
}
