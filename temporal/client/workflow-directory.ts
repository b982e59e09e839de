import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { serviceVmWorkflowId } from '../../workflows/contract/ids.ts';
import { serviceVmMessages } from '../../workflows/contract/service-vm-messages.ts';
import type { WorkflowSignals } from '../../activities/hypervisor/workflow-signals.ts';

/** Signals to the workflow that owns an instance. One that is over, or was never there, needs to know nothing. */
export const workflowSignals = (client: Client): WorkflowSignals => {
  const signal = async (serviceVmId: string, name: string, ...news: object[]): Promise<void> => {
    try {
      await client.workflow.getHandle(serviceVmWorkflowId(serviceVmId)).signal(name, ...news);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  };
  return {
    leasesChanged: (serviceVmId, news) => signal(serviceVmId, serviceVmMessages.leasesChanged, news),
    claimed: (serviceVmId, news) => signal(serviceVmId, serviceVmMessages.claimed, news),
    retire: (serviceVmId) => signal(serviceVmId, serviceVmMessages.retire),
    guestStopped: (serviceVmId, news) => signal(serviceVmId, serviceVmMessages.guestStopped, news),
  };
};

/** Whether an execution with this id is open. @throws where Temporal does not answer */
export async function isWorkflowOpen(client: Client, workflowId: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
