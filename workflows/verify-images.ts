import { CancellationScope, isCancellation, log, setCurrentDetails } from '@temporalio/workflow';
import { onHost, records } from './activities.ts';
import type { ImageCopy, VerificationInput, VerificationOutcome } from './contract/activities.ts';
import { describeFailure } from './contract/failure.ts';
import type { OperationProgress } from './contract/operation.ts';
import { formatBytes, msPerHour } from './contract/units.ts';
import { applicationFailure } from './failures.ts';

/** Hashes every image on every host that is up, one after the other, and reports those that are not what they were. */
export async function verifyImages({ operationId }: VerificationInput): Promise<VerificationOutcome> {
  try {
    const copies = await records.copiesToVerify({});
    const damaged: VerificationOutcome['damaged'][number][] = [];
    for (const [index, copy] of copies.entries()) {
      const { hostId, sha256, kind } = copy;
      const progress = progressOf(operationId, copy, index + 1, copies.length);
      const { damage } = await onHost(hostId, msPerHour).verifyImage({ ...copy, progress });
      if (damage !== null) damaged.push({ hostId, sha256, kind, damage });
    }
    const outcome = { checked: copies.length, damaged };
    await records.recordVerification({ operationId, outcome });
    return outcome;
  } catch (error) {
    const failure = isCancellation(error)
      ? ({ code: 'cancelled', detail: 'The verification was cancelled.', facts: {} } as const)
      : describeFailure(error);
    await CancellationScope.nonCancellable(() => records.recordFailure({ operationId, failure })).catch((unrecorded: unknown) =>
      log.error('The end of a verification was not recorded; the host is reconciled later', { error: unrecorded }),
    );
    throw isCancellation(error) ? error : applicationFailure(failure);
  }
}

function progressOf(operationId: string, { kind, sha256, sizeBytes }: ImageCopy, step: number, steps: number): OperationProgress {
  const message = `Reading ${kind} ${sha256.slice(0, 12)} (${formatBytes(sizeBytes)})`;
  setCurrentDetails(message);
  return { operationId, phase: 'verify', step, steps, message, bytesDone: 0, bytesTotal: sizeBytes };
}
