import type { Client } from '@temporalio/client';
import type { Store } from '../../activities/store/store.ts';
import { admitRemoval, type RemovalRequest } from '../../activities/store/trash.ts';
import type { RemovalInput } from '../../workflows/contract/activities.ts';
import { removeServiceWorkflowId } from '../../workflows/contract/ids.ts';
import { asCloudletError } from './service-vm-starter.ts';
import { startOperation } from './start-operation.ts';

/**
 * Begins to remove a service.
 * @returns the operation, and `ended`, which resolves when the service is gone or rejects with why it is not
 * @throws CloudletError why it is not to be removed now
 */
export async function startRemoval(
  store: Store,
  client: Client,
  request: RemovalRequest,
): Promise<{ readonly operationId: string; readonly ended: Promise<void> }> {
  const { serviceId, stop, purge } = request;
  const { operationId, repeated } = await admitRemoval(store, request);
  const workflowId = removeServiceWorkflowId(serviceId);
  const input: RemovalInput = { operationId, serviceId, stop, purge };
  await startOperation(
    store,
    client,
    { operationId, workflowId, repeated },
    {
      type: 'removeService',
      input,
      staticSummary: `removal of ${serviceId}`,
      searchAttributes: { CloudletService: [serviceId], CloudletOperation: ['service.remove'] },
    },
  );
  const ended = client.workflow
    .getHandle(workflowId)
    .result()
    .then(
      () => undefined,
      (error: unknown) => Promise.reject(asCloudletError(error)),
    );
  // Nobody need wait for it.
  ended.catch(() => undefined);
  return { operationId, ended };
}
