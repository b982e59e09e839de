import { setTimeout as sleep } from 'node:timers/promises';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  type Client,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { cloudletTaskQueue } from '../../workflows/contract/ids.ts';

const tries = 10;
const pauseMs = 200;

/**
 * Starts the workflow of an operation that was admitted. A former one of the same id is over for everybody once its
 * outcome is written; its execution may take a moment more to close.
 * @throws WorkflowExecutionAlreadyStartedError when it does not
 */
export async function startOnceClosed(
  client: Client,
  workflowType: string,
  options: Pick<WorkflowStartOptions, 'workflowId' | 'staticSummary' | 'searchAttributes'> & { readonly args: readonly unknown[] },
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.workflow.start(workflowType, {
        ...options,
        args: [...options.args],
        taskQueue: cloudletTaskQueue,
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      });
      return;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError) || attempt === tries) throw error;
      await sleep(pauseMs);
    }
  }
}
