import { setTimeout as sleep } from 'node:timers/promises';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  type Client,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { findOperation, recordFailure } from '../../activities/store/operations.ts';
import { releaseUploads } from '../../activities/store/uploads.ts';
import type { Store } from '../../activities/store/store.ts';
import type { CloudletError } from '../../workflows/contract/errors.ts';
import { describeFailure } from '../../workflows/contract/failure.ts';
import { cloudletTaskQueue } from '../../workflows/contract/ids.ts';
import { asCloudletError } from './service-vm-starter.ts';
import { isWorkflowOpen } from './workflow-directory.ts';

const tries = 10;
const pauseMs = 200;

export interface AdmittedOperation {
  readonly operationId: string;
  readonly workflowId: string;
  /** An earlier request with the same key was admitted, not this one. */
  readonly repeated: boolean;
}

export interface OperationWorkflow extends Pick<WorkflowStartOptions, 'staticSummary' | 'searchAttributes'> {
  /** Name of the workflow. */
  readonly type: string;
  readonly input: object;
}

/**
 * Begins an operation that was admitted. One that never began, since the process that had admitted it died, is begun by
 * whoever asks again with the same key.
 * @param inOurWords says why it did not begin
 * @throws CloudletError; `workflow-unavailable` leaves the operation as it is: if Temporal took it nevertheless it goes
 *   on, and else the host's reconciliation ends it
 */
export async function startOperation(
  store: Store,
  client: Client,
  { operationId, workflowId, repeated }: AdmittedOperation,
  { type, input, ...options }: OperationWorkflow,
  inOurWords: (error: unknown) => CloudletError = asCloudletError,
): Promise<void> {
  try {
    if (repeated && !(await neverBegan(store, client, { operationId, workflowId }))) return;
    await startOnceClosed(client, type, { ...options, workflowId, operationId, args: [input] });
  } catch (error) {
    const known = inOurWords(error);
    if (!repeated && known.code !== 'workflow-unavailable') {
      await recordFailure(store, operationId, describeFailure(known));
      await releaseUploads(store, operationId);
    }
    throw known;
  }
}

/** In this order: an operation that has ended says so before its execution closes. */
async function neverBegan(
  store: Store,
  client: Client,
  { operationId, workflowId }: Pick<AdmittedOperation, 'operationId' | 'workflowId'>,
): Promise<boolean> {
  if (await isWorkflowOpen(client, workflowId)) return false;
  return (await findOperation(store, operationId))?.state === 'running';
}

/**
 * Starts the workflow of an operation that was admitted. A former one of the same id is over for everybody once its
 * outcome is written; its execution may take a moment more to close. One of the same operation is the one that is meant.
 * @throws WorkflowExecutionAlreadyStartedError when another does not close
 */
export async function startOnceClosed(
  client: Client,
  workflowType: string,
  options: Pick<WorkflowStartOptions, 'workflowId' | 'staticSummary' | 'searchAttributes'> & {
    readonly operationId: string;
    readonly args: readonly unknown[];
  },
): Promise<void> {
  const { operationId, ...given } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.workflow.start(workflowType, {
        ...given,
        args: [...given.args],
        memo: { operationId },
        taskQueue: cloudletTaskQueue,
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      });
      return;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      const { memo } = await client.workflow.getHandle(given.workflowId).describe();
      if (memo?.['operationId'] === operationId) return;
      if (attempt === tries) throw error;
      await sleep(pauseMs);
    }
  }
}
