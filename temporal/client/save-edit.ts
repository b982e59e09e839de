import { WorkflowUpdateStage, type Client } from '@temporalio/client';
import { serviceVmWorkflowId } from '../../workflows/contract/ids.ts';
import { serviceVmMessages } from '../../workflows/contract/service-vm-messages.ts';
import { asCloudletError } from './service-vm-starter.ts';

/**
 * Asks an editing VM to save what was done in it.
 * @returns once it has taken that up; `saved` resolves when it is done, and rejects where it can be edited on
 * @throws CloudletError `state-conflict` where it is not up
 */
export async function saveEdit(client: Client, serviceVmId: string): Promise<{ readonly saved: Promise<void> }> {
  const translated = (error: unknown): never => {
    throw asCloudletError(error);
  };
  const update = await client.workflow
    .getHandle(serviceVmWorkflowId(serviceVmId))
    .startUpdate<void, []>(serviceVmMessages.saveEdit, { waitForStage: WorkflowUpdateStage.ACCEPTED })
    .catch(translated);
  const saved = update.result().catch(translated);
  // Nobody need wait for it.
  saved.catch(() => undefined);
  return { saved };
}
