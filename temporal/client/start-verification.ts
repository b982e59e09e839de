import type { Client } from '@temporalio/client';
import type { Idempotency } from '../../activities/store/idempotency.ts';
import { admitVerification } from '../../activities/store/image-verification.ts';
import type { Store } from '../../activities/store/store.ts';
import type { VerificationInput } from '../../workflows/contract/activities.ts';
import { verifyImagesWorkflowId } from '../../workflows/contract/ids.ts';
import { startOperation } from './start-operation.ts';

/** Begins to hash all images. @throws CloudletError `operation-in-progress` while that is being done */
export async function startVerification(
  store: Store,
  client: Client,
  asked: { readonly principal: string; readonly idempotency?: Idempotency },
): Promise<{ readonly operationId: string }> {
  const { operationId, repeated } = await admitVerification(store, asked);
  const input: VerificationInput = { operationId };
  await startOperation(
    store,
    client,
    { operationId, workflowId: verifyImagesWorkflowId, repeated },
    {
      type: 'verifyImages',
      input,
      staticSummary: 'verification of all images',
      searchAttributes: { CloudletOperation: ['image.verify'] },
    },
  );
  return { operationId };
}
