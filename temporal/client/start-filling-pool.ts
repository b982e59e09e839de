import { WorkflowExecutionAlreadyStartedError, WorkflowIdConflictPolicy, WorkflowIdReusePolicy, type Client } from '@temporalio/client';
import { cloudletTaskQueue, fillWarmPoolWorkflowId } from '../../workflows/contract/ids.ts';

/** Begins to fill the warm pool of a host. Fine when that is under way. */
export async function startFillingPool(client: Client, hostId: string): Promise<void> {
  try {
    await client.workflow.start('fillWarmPool', {
      workflowId: fillWarmPoolWorkflowId(hostId),
      taskQueue: cloudletTaskQueue,
      args: [{ hostId }],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      staticSummary: 'warm instances of a host',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
