import type { Client } from '@temporalio/client';
import { admitInstall, type InstallRequest } from '../../activities/store/apps.ts';
import type { Store } from '../../activities/store/store.ts';
import type { InstallInput } from '../../workflows/contract/app.ts';
import { installAppWorkflowId } from '../../workflows/contract/ids.ts';
import { startOperation } from './start-operation.ts';

/**
 * Begins the install of an app.
 * @throws CloudletError why the upload, or what was said of the app, is not to be had
 */
export async function startInstall(
  store: Store,
  client: Client,
  request: InstallRequest,
): Promise<{ readonly operationId: string; readonly appId: string }> {
  const { operationId, appId, repeated } = await admitInstall(store, request);
  const input: InstallInput = { operationId, appId, uploadId: request.uploadId, metadata: request.metadata };
  const workflowId = installAppWorkflowId(appId);
  await startOperation(
    store,
    client,
    { operationId, workflowId, repeated },
    {
      type: 'installApp',
      input,
      staticSummary: `install of ${request.metadata.name ?? appId}`,
      searchAttributes: { CloudletOperation: ['app.install'] },
    },
  );
  return { operationId, appId };
}
