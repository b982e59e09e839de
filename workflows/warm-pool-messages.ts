import { defineSignal, getExternalWorkflowHandle, log, workflowInfo } from '@temporalio/workflow';

/** From an instance to the workflow that fills the pool: it waits to be claimed, so the next one may be brought up. */
export const becameWarm = defineSignal<[{ readonly serviceVmId: string }]>('becameWarm');

/** Fine when nobody waits for it: the pool is looked after every other second anyway. */
export async function tellPoolThatItIsWarm(serviceVmId: string): Promise<void> {
  const { parent } = workflowInfo();
  if (!parent) return;
  try {
    await getExternalWorkflowHandle(parent.workflowId, parent.runId).signal(becameWarm, { serviceVmId });
  } catch (error) {
    log.info('The workflow that brought this instance up is over', { error });
  }
}
