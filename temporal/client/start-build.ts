import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowExecutionAlreadyStartedError, WorkflowIdConflictPolicy, WorkflowIdReusePolicy, type Client } from '@temporalio/client';
import { admitBuild, recordBuildFailure } from '../../activities/store/builds.ts';
import type { Idempotency } from '../../activities/store/idempotency.ts';
import type { Store } from '../../activities/store/store.ts';
import type { BuildInput } from '../../workflows/contract/activities.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { describeFailure } from '../../workflows/contract/failure.ts';
import { cloudletTaskQueue } from '../../workflows/contract/ids.ts';
import { asCloudletError } from './service-vm-starter.ts';

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
    await startOnceClosed(client, workflowId, input);
  } catch (error) {
    const known = asBuildError(error, build.spec.serviceId);
    await recordBuildFailure(store, input, describeFailure(known));
    throw known;
  }
  return { operationId };
}

const tries = 10;
const pauseMs = 200;

/** A build is over for everybody once its outcome is written; its execution may take a moment more to close. */
async function startOnceClosed(client: Client, workflowId: string, input: BuildInput): Promise<void> {
  const { serviceId } = input.spec;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.workflow.start('buildServiceImage', {
        workflowId,
        taskQueue: cloudletTaskQueue,
        args: [input],
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        staticSummary: `build of ${serviceId}`,
        searchAttributes: { CloudletService: [serviceId], CloudletOperation: ['service.build'] },
      });
      return;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError) || attempt === tries) throw error;
      await sleep(pauseMs);
    }
  }
}

const asBuildError = (error: unknown, serviceId: string): CloudletError =>
  error instanceof WorkflowExecutionAlreadyStartedError
    ? new CloudletError('operation-in-progress', `A former build of "${serviceId}" is just being finished. Ask again.`, {
        retryAfterSeconds: 2,
      })
    : asCloudletError(error);
