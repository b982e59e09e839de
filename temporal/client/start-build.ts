import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { admitBuild, recordBuildFailure } from '../../activities/store/builds.ts';
import type { Idempotency } from '../../activities/store/idempotency.ts';
import type { Store } from '../../activities/store/store.ts';
import type { BuildInput } from '../../workflows/contract/activities.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { describeFailure } from '../../workflows/contract/failure.ts';
import { asCloudletError } from './service-vm-starter.ts';
import { startOnceClosed } from './start-operation.ts';

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
    edit: build.edit === true,
    principal,
    ...(idempotency ? { idempotency } : {}),
  });
  if (repeated) return { operationId };
  const input: BuildInput = { operationId, ...build };
  try {
    const { serviceId } = build.spec;
    await startOnceClosed(client, 'buildServiceImage', {
      workflowId,
      args: [input],
      staticSummary: `${input.edit ? 'edit' : 'build'} of ${serviceId}`,
      searchAttributes: { CloudletService: [serviceId], CloudletOperation: [input.edit ? 'service.edit' : 'service.build'] },
    });
  } catch (error) {
    const known = asBuildError(error, build.spec.serviceId);
    await recordBuildFailure(store, input, describeFailure(known));
    throw known;
  }
  return { operationId };
}

const asBuildError = (error: unknown, serviceId: string): CloudletError =>
  error instanceof WorkflowExecutionAlreadyStartedError
    ? new CloudletError('operation-in-progress', `A former build of "${serviceId}" is just being finished. Ask again.`, {
        retryAfterSeconds: 2,
      })
    : asCloudletError(error);
