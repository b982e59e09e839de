import { CancellationScope, isCancellation, log, setCurrentDetails } from '@temporalio/workflow';
import { onHost, onHostUntilDone, records } from './activities.ts';
import type { ImportInput, ImportOutcome, UnpackedService } from './contract/bundle.ts';
import { describeFailure } from './contract/failure.ts';
import type { OperationProgress } from './contract/operation.ts';
import { msPerHour } from './contract/units.ts';
import { applicationFailure } from './failures.ts';
import { raiseEvent } from './raise-event.ts';
import { Saga } from './saga.ts';

/** unpack · publish */
const steps = 2;
const unpackingTimeoutMs = 12 * msPerHour;

/**
 * Makes a service of a bundle. A bundle that is refused leaves nothing; phones see the service once all of it is here.
 */
export async function importService(input: ImportInput): Promise<ImportOutcome> {
  const { operationId, source } = input;
  const saga = new Saga();
  const named = source.kind === 'file' ? source.file : 'the upload';

  const report = (phase: string, step: number, message: string): OperationProgress => {
    setCurrentDetails(`${message}\n\nbundle \`${named}\``);
    return { operationId, phase, step, steps, message };
  };

  let hostId: string;
  let outcome: ImportOutcome;
  try {
    ({ hostId } = await records.chooseHost({}));
    let unpacked: UnpackedService | undefined;
    await saga.run({
      name: 'unpackBundle',
      run: async () => {
        const progress = report('unpack', 1, 'Reading the bundle');
        unpacked = await onHost(hostId, unpackingTimeoutMs).unpackBundle({ ...input, progress });
      },
      undo: () => onHostUntilDone(hostId).discardPreparation({ operationId }),
    });
    outcome = await records.publishImport({ ...input, unpacked: unpacked!, progress: report('publish', steps, 'Publishing') });
  } catch (error) {
    const failure = isCancellation(error)
      ? ({ code: 'cancelled', detail: `The import of ${named} was cancelled.`, facts: {} } as const)
      : describeFailure(error);
    await saga.unwind();
    await CancellationScope.nonCancellable(() => records.recordFailure({ operationId, failure })).catch(leftToReconcile);
    throw isCancellation(error) ? error : applicationFailure(failure);
  }
  // Phones see it: nothing can fail or cancel the import any more.
  await CancellationScope.nonCancellable(async () => {
    await onHostUntilDone(hostId).discardPreparation({ operationId }).catch(leftToReconcile);
    await raiseEvent(['service.published'], 'service.published', { serviceId: outcome.serviceId, version: outcome.version });
  });
  return outcome;
}

const leftToReconcile = (error: unknown): void => log.error('An import left something behind; the host is reconciled later', { error });
