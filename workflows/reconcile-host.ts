import { log, setCurrentDetails } from '@temporalio/workflow';
import { onHost } from './activities.ts';
import { describeFailure } from './contract/failure.ts';

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
 * that workflow goes on where it was. Runs when a worker starts, and on a schedule.
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
  const retired = orphans.length - failed;
  setCurrentDetails(`${domains} guests run here · ${retired} orphans retired · ${failed} left · ${removedFiles} leftover files removed`);
  return { domains, retired, failed };
}
