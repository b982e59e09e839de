import { CancellationScope, CancelledFailure, executeChild, isCancellation, log, setCurrentDetails } from '@temporalio/workflow';
import { records } from './activities.ts';
import type { RefreshInput } from './contract/activities.ts';
import { describeFailure } from './contract/failure.ts';
import { serviceVmWorkflowId } from './contract/ids.ts';
import type { SavedGuest } from './contract/service-vm.ts';
import { applicationFailure } from './failures.ts';
import { Saga } from './saga.ts';
import { serviceVm } from './service-vm.ts';

/** five of the instance whose state is saved · publish */
const steps = 6;

/**
 * Makes the saved state of a service anew: boots its image cold, waits until it answers, saves it. Until then, and where
 * that fails, the service boots cold.
 */
export async function refreshSavedState(input: RefreshInput): Promise<void> {
  const { operationId, serviceId } = input;
  const saga = new Saga();
  try {
    let build = { imageId: '', serviceVmId: '' };
    await saga.run({
      name: 'registerRefresh',
      run: async () => {
        setCurrentDetails(`Making the saved state of \`${serviceId}\` anew`);
        build = await records.registerRefresh(input);
      },
      undo: () => records.unregisterRefresh(input),
    });
    const saved = await savedGuest(build.serviceVmId, input);
    const progress = { operationId, phase: 'publish', step: steps, steps, message: 'Publishing' };
    await records.publishRefresh({ ...input, imageId: build.imageId, saved, progress });
  } catch (error) {
    const failure = isCancellation(error)
      ? ({ code: 'cancelled', detail: `The refresh of "${serviceId}" was cancelled.`, facts: {} } as const)
      : describeFailure(error);
    await saga.unwind();
    await CancellationScope.nonCancellable(() => records.recordFailure({ operationId, failure })).catch((unrecorded: unknown) =>
      log.error('The end of a refresh was not recorded; the host is reconciled later', { error: unrecorded }),
    );
    throw isCancellation(error) ? error : applicationFailure(failure);
  }
}

async function savedGuest(serviceVmId: string, { operationId, serviceId }: RefreshInput): Promise<SavedGuest> {
  const { left } = await executeChild(serviceVm, {
    workflowId: serviceVmWorkflowId(serviceVmId),
    args: [{ serviceVmId, serviceId, purpose: 'build', operationId, within: { stepsBefore: 0, steps } }],
    staticSummary: `saving the ready state of ${serviceId} anew`,
  });
  if (left && 'memoryId' in left) return left;
  // An instance that is cancelled ends like one that was stopped.
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('The refresh was cancelled');
  throw applicationFailure({ code: 'state-conflict', detail: 'The instance was stopped before its state was saved.', facts: {} });
}
