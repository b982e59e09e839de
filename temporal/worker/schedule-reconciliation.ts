import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { cloudletTaskQueue, reconcileHostScheduleId, reconcileHostWorkflowId } from '../../workflows/contract/ids.ts';

const everyMs = 60_000;

/** Sets the host right now, and every minute from now on. */
export async function scheduleReconciliation(client: Client, hostId: string): Promise<void> {
  const action = {
    type: 'startWorkflow' as const,
    workflowType: 'reconcileHost',
    taskQueue: cloudletTaskQueue,
    workflowId: reconcileHostWorkflowId(hostId),
    args: [{ hostId }],
  };
  try {
    await client.schedule.create({
      scheduleId: reconcileHostScheduleId(hostId),
      spec: { intervals: [{ every: everyMs }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: everyMs },
      action,
      state: { triggerImmediately: true },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(reconcileHostScheduleId(hostId)).trigger(ScheduleOverlapPolicy.SKIP);
  }
}
