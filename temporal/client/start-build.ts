import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy, type Client } from '@temporalio/client';
import { admitBuild, recordBuildFailure } from '../../activities/store/builds.ts';
import type { Idempotency } from '../../activities/store/idempotency.ts';
import type { Store } from '../../activities/store/store.ts';
import type { BuildInput } from '../../workflows/contract/activities.ts';
import { describeFailure } from '../../workflows/contract/failure.ts';
import { cloudletTaskQueue } from '../../workflows/contract/ids.ts';

export interface BuildRequest extends Omit<BuildInput, 'operationId'> {
  /** `principalName` of who asked. */
  readonly principal: string;
  readonly idempotency?: Idempotency;
}

/**
 * Begins the build of a service.
 * @throws CloudletError `operation-in-progress` while it is being built already
 */
export async function startBuild(store: Store, client: Client, request: BuildRequest): Promise<{ operationId: string }> {
  const { principal, idempotency, ...build } = request;
  const { operationId, workflowId, repeated } = await admitBuild(store, {
    serviceId: build.spec.serviceId,
    principal,
    ...(idempotency ? { idempotency } : {}),
  });
  if (repeated) return { operationId };
  const input: BuildInput = { operationId, ...build };
  try {
    await client.workflow.start('buildServiceImage', {
      workflowId,
      taskQueue: cloudletTaskQueue,
      args: [input],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      staticSummary: `build of ${build.spec.serviceId}`,
      searchAttributes: { CloudletService: [build.spec.serviceId], CloudletOperation: ['service.build'] },
    });
  } catch (error) {
    await recordBuildFailure(store, input, describeFailure(error));
    throw error;
  }
  return { operationId };
}
