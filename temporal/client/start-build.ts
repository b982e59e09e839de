import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { admitBuild } from '../../activities/store/builds.ts';
import type { Idempotency } from '../../activities/store/idempotency.ts';
import type { Store } from '../../activities/store/store.ts';
import type { BuildInput } from '../../workflows/contract/activities.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { asCloudletError } from './service-vm-starter.ts';
import { startOperation } from './start-operation.ts';

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
  const { serviceId } = request.spec;
  const admitted = await admitBuild(store, {
    serviceId,
    edit: build.edit === true,
    principal,
    ...(idempotency ? { idempotency } : {}),
  });
  const { operationId } = admitted;
  const input: BuildInput = { operationId, ...build };
  await startOperation(
    store,
    client,
    admitted,
    {
      type: 'buildServiceImage',
      input,
      staticSummary: `${input.edit ? 'edit' : 'build'} of ${serviceId}`,
      searchAttributes: { CloudletService: [serviceId], CloudletOperation: [input.edit ? 'service.edit' : 'service.build'] },
    },
    (error) => asBuildError(error, serviceId),
  );
  return { operationId };
}

const asBuildError = (error: unknown, serviceId: string): CloudletError =>
  error instanceof WorkflowExecutionAlreadyStartedError
    ? new CloudletError('operation-in-progress', `A former build of "${serviceId}" is just being finished. Ask again.`, {
        retryAfterSeconds: 2,
      })
    : asCloudletError(error);
