import { condition, isCancellation, log, ParentClosePolicy, setCurrentDetails, setHandler, startChild } from '@temporalio/workflow';
import { onHost, records } from './activities.ts';
import type { PoolPlan } from './contract/activities.ts';
import { describeFailure } from './contract/failure.ts';
import { serviceVmWorkflowId } from './contract/ids.ts';
import { serviceVm } from './service-vm.ts';
import { becameWarm } from './warm-pool-messages.ts';

export interface FillWarmPoolInput {
  readonly hostId: string;
}

export interface FillWarmPoolOutcome {
  readonly warmed: number;
  readonly failed: number;
  readonly retired: number;
}

/** Changes of the pool in one run. The host asks for another run as long as there is something to do. */
const maximumRounds = 32;

/**
 * Brings the warm instances of a host to what is wanted: ends those that nobody can claim any more, and starts new ones,
 * one after the other. What it starts outlives it.
 */
export async function fillWarmPool({ hostId }: FillWarmPoolInput): Promise<FillWarmPoolOutcome> {
  const outcome = { warmed: 0, failed: 0, retired: 0 };
  const warm = new Set<string>();
  setHandler(becameWarm, ({ serviceVmId }) => void warm.add(serviceVmId));
  const tell = (doing: string) =>
    setCurrentDetails(`${doing}\n\n${outcome.warmed} warmed · ${outcome.failed} failed · ${outcome.retired} retired`);

  for (let round = 0; round < maximumRounds; round += 1) {
    const { retire, start } = await records.planPool({ hostId });
    if (retire.length > 0) {
      tell('Retiring what nobody can claim any more');
      await onHost(hostId).retireWarm({ serviceVmIds: retire });
      outcome.retired += retire.length;
    }
    if (!start) break;
    tell(`Warming an instance of \`${start.serviceId}\``);
    const isWarm = await bringUp(start, () => warm.has(start.serviceVmId));
    if (isWarm) outcome.warmed += 1;
    else outcome.failed += 1;
  }
  tell('Done');
  return outcome;
}

/** @returns whether it became warm; if not, it has ended */
async function bringUp({ serviceVmId, serviceId }: NonNullable<PoolPlan['start']>, isWarm: () => boolean): Promise<boolean> {
  try {
    const child = await startChild(serviceVm, {
      workflowId: serviceVmWorkflowId(serviceVmId),
      args: [{ serviceVmId, serviceId, purpose: 'warm', operationId: serviceVmId }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `${serviceId}, warm`,
    });
    const ended = child.result();
    // One that is claimed ends long after nobody listens any more.
    ended.catch(() => undefined);
    await Promise.race([ended, condition(isWarm)]);
    return isWarm();
  } catch (error) {
    if (isCancellation(error)) throw error;
    // It failed; or a former run started it, and did not live to see it warm.
    log.warn('No warm instance came of it', { serviceVmId, failure: describeFailure(error) });
    return false;
  }
}
