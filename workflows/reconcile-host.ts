import { isCancellation, log, ParentClosePolicy, setCurrentDetails, startChild } from '@temporalio/workflow';
import { onHost, records } from './activities.ts';
import { describeFailure } from './contract/failure.ts';
import { refreshSavedStateWorkflowId } from './contract/ids.ts';
import { refreshSavedState } from './refresh-saved-state.ts';

export interface ReconcileHostInput {
  readonly hostId: string;
}

export interface ReconcileHostOutcome {
  readonly domains: number;
  readonly retired: number;
  readonly failed: number;
}

/**
 * Sets a host right: retires what no open workflow owns. Instances whose workflow is open are adopted by doing nothing:
 * that workflow goes on where it was. Has saved states made anew that fit no host any more. Runs when a worker starts, and on a schedule.
 */
export async function reconcileHost({ hostId }: ReconcileHostInput): Promise<ReconcileHostOutcome> {
  const host = onHost(hostId);
  const { domains, orphans, removedFiles } = await host.surveyHost({});
  let failed = 0;
  for (const serviceVmId of orphans) {
    try {
      await host.retireOrphan({ serviceVmId });
    } catch (error) {
      failed += 1;
      log.warn('An orphan could not be retired; the next round tries again', { serviceVmId, reason: describeFailure(error).detail });
    }
  }
  await beginRefreshes();
  const retired = orphans.length - failed;
  setCurrentDetails(`${domains} guests run here · ${retired} orphans retired · ${failed} left · ${removedFiles} leftover files removed`);
  return { domains, retired, failed };
}

/** Saved states that the host cannot use any more are made anew, by workflows of their own that outlive this one. */
async function beginRefreshes(): Promise<void> {
  try {
    for (const refresh of await records.admitRefreshes({})) {
      await startChild(refreshSavedState, {
        workflowId: refreshSavedStateWorkflowId(refresh.serviceId),
        args: [refresh],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: `refresh of ${refresh.serviceId}`,
      });
    }
  } catch (error) {
    if (isCancellation(error)) throw error;
    // Most often because it is under way already.
    log.info('A refresh was not begun', { reason: describeFailure(error).detail });
  }
}
