import type { Client } from '@temporalio/client';
import { recordFailure } from '../../activities/store/operations.ts';
import type { Idempotency } from '../../activities/store/idempotency.ts';
import { admitVerification } from '../../activities/store/image-verification.ts';
import type { Store } from '../../activities/store/store.ts';
import type { VerificationInput } from '../../workflows/contract/activities.ts';
import { describeFailure } from '../../workflows/contract/failure.ts';
import { verifyImagesWorkflowId } from '../../workflows/contract/ids.ts';
import { asCloudletError } from './service-vm-starter.ts';
import { startOnceClosed } from './start-operation.ts';

/** Begins to hash all images. @throws CloudletError `operation-in-progress` while that is being done */
export async function startVerification(
  store: Store,
  client: Client,
  asked: { readonly principal: string; readonly idempotency?: Idempotency },
): Promise<{ readonly operationId: string }> {
  const { operationId, repeated } = await admitVerification(store, asked);
  if (repeated) return { operationId };
  const input: VerificationInput = { operationId };
  await startOnceClosed(client, 'verifyImages', {
    workflowId: verifyImagesWorkflowId,
    args: [input],
    staticSummary: 'verification of all images',
    searchAttributes: { CloudletOperation: ['image.verify'] },
  }).catch(async (error: unknown) => {
    const known = asCloudletError(error);
    await recordFailure(store, operationId, describeFailure(known));
    throw known;
  });
  return { operationId };
}
