import { CancellationScope, getExternalWorkflowHandle, isCancellation, log, setCurrentDetails, sleep } from '@temporalio/workflow';
import { records } from './activities.ts';
import type { RemovalInput } from './contract/activities.ts';
import { describeFailure } from './contract/failure.ts';
import type { OperationProgress } from './contract/operation.ts';
import { msPerMinute, msPerSecond } from './contract/units.ts';
import { applicationFailure } from './failures.ts';
import { raiseEvent } from './raise-event.ts';
import { Saga } from './saga.ts';

/** trash · end instances · record */
const steps = 3;
const patienceMs = 10 * msPerMinute;

/**
 * Removes a service: nobody can start it any more, its instances end, and it lies in the trash or is deleted at once.
 * A removal that fails or is cancelled leaves the service as it was; instances that it ended stay ended.
 */
export async function removeService(input: RemovalInput): Promise<void> {
  const { operationId, serviceId, purge } = input;
  const saga = new Saga();
  const report = (phase: string, step: number, message: string): OperationProgress => {
    setCurrentDetails(`${message}\n\nservice \`${serviceId}\``);
    return { operationId, phase, step, steps, message };
  };
  try {
    await saga.run({
      name: 'trashService',
      run: () => records.trashService({ ...input, progress: report('trash', 1, 'Taking it out of use') }),
      undo: () => records.untrashService(input),
    });
    await endInstances(serviceId, () => report('stop', 2, 'Ending its Service VMs'));
    await records.recordRemoval({ ...input, progress: report('record', 3, purge ? 'Deleting it' : 'Putting it into the trash') });
  } catch (error) {
    const failure = isCancellation(error)
      ? ({ code: 'cancelled', detail: `The removal of "${serviceId}" was cancelled.`, facts: {} } as const)
      : describeFailure(error);
    await saga.unwind();
    await CancellationScope.nonCancellable(() => records.recordFailure({ operationId, failure })).catch((unrecorded: unknown) =>
      log.error('The end of a removal was not recorded; the host is reconciled later', { error: unrecorded }),
    );
    throw isCancellation(error) ? error : applicationFailure(failure);
  }
  await CancellationScope.nonCancellable(() => raiseEvent(['service.removed'], 'service.removed', { serviceId }));
}

/** Instances end like those that somebody stopped. One that was only asked for has no workflow yet, and is asked again. */
async function endInstances(serviceId: string, report: () => OperationProgress): Promise<void> {
  const deadlineMs = Date.now() + patienceMs;
  for (let pauseMs = msPerSecond; ; pauseMs = Math.min(2 * pauseMs, 30 * msPerSecond)) {
    const live = await records.liveInstancesOf({ serviceId, progress: report() });
    if (live.length === 0) return;
    if (Date.now() > deadlineMs) {
      throw applicationFailure({
        code: 'state-conflict',
        detail: `Service VMs of "${serviceId}" did not end: ${live.length}. Is their host up? Nothing was removed.`,
        facts: { state: 'running' },
      });
    }
    await Promise.all(live.map(({ workflowId }) => askToEnd(workflowId)));
    await sleep(pauseMs);
  }
}

async function askToEnd(workflowId: string): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflowId).cancel();
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.info('An instance could not be asked to end; it is looked at again', { workflowId, error });
  }
}
