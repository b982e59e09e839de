import { CancellationScope, isCancellation, log, setCurrentDetails } from '@temporalio/workflow';
import { onHost, onHostUntilDone, records } from './activities.ts';
import type { ExportInput, ExportOutcome, WrittenBundle } from './contract/bundle.ts';
import { describeFailure } from './contract/failure.ts';
import type { OperationProgress } from './contract/operation.ts';
import { msPerHour } from './contract/units.ts';
import { applicationFailure } from './failures.ts';
import { Saga } from './saga.ts';

/** write · publish */
const steps = 2;
const writingTimeoutMs = 12 * msPerHour;

/** Writes a service into a bundle, which can be downloaded until it expires. */
export async function exportService(input: ExportInput): Promise<ExportOutcome> {
  const { operationId, serviceId } = input;
  const saga = new Saga();

  const report = (phase: string, step: number, message: string): OperationProgress => {
    setCurrentDetails(`${message}\n\nservice \`${serviceId}\``);
    return { operationId, phase, step, steps, message };
  };

  try {
    const { hostId } = await records.hostOfService({ serviceId });
    let written: WrittenBundle | undefined;
    await saga.run({
      name: 'writeBundle',
      run: async () => {
        const progress = report('write', 1, 'Writing the bundle');
        written = await onHost(hostId, writingTimeoutMs).writeBundle({ ...input, progress });
      },
      undo: () => onHostUntilDone(hostId).removeBundle({ operationId }),
    });
    return await records.publishBundle({ ...input, hostId, written: written!, progress: report('publish', steps, 'Publishing') });
  } catch (error) {
    const failure = isCancellation(error)
      ? ({ code: 'cancelled', detail: `The export of "${serviceId}" was cancelled.`, facts: {} } as const)
      : describeFailure(error);
    await saga.unwind();
    await CancellationScope.nonCancellable(() => records.recordFailure({ operationId, failure })).catch((problem: unknown) =>
      log.error('The end of an export was not recorded; the host is reconciled later', { error: problem }),
    );
    throw isCancellation(error) ? error : applicationFailure(failure);
  }
}
