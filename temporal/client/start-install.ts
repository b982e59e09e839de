import type { Client } from '@temporalio/client';
import { admitInstall, type InstallRequest } from '../../activities/store/apps.ts';
import { recordFailure } from '../../activities/store/operations.ts';
import { releaseUploads } from '../../activities/store/uploads.ts';
import type { Store } from '../../activities/store/store.ts';
import type { InstallInput } from '../../workflows/contract/app.ts';
import { describeFailure } from '../../workflows/contract/failure.ts';
import { installAppWorkflowId } from '../../workflows/contract/ids.ts';
import { asCloudletError } from './service-vm-starter.ts';
import { startOnceClosed } from './start-operation.ts';

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
  if (repeated) return { operationId, appId };
  const input: InstallInput = { operationId, appId, uploadId: request.uploadId, metadata: request.metadata };
  await startOnceClosed(client, 'installApp', {
    workflowId: installAppWorkflowId(appId),
    args: [input],
    staticSummary: `install of ${request.metadata.name ?? appId}`,
    searchAttributes: { CloudletOperation: ['app.install'] },
  }).catch(async (error: unknown) => {
    const known = asCloudletError(error);
    await releaseUploads(store, operationId);
    await recordFailure(store, operationId, describeFailure(known));
    throw known;
  });
  return { operationId, appId };
}
