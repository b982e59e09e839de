import { condition } from '@temporalio/workflow';
import { onHost, records } from '../activities.ts';
import { tellPoolThatItIsWarm } from '../warm-pool-messages.ts';
import { ownSteps, type ServiceVmLife } from './life.ts';

/** Starts the guest ahead of time, and has it wait. @returns whether somebody claimed it; if not, it ends */
export async function waitForClaim(life: ServiceVmLife): Promise<boolean> {
  const { serviceVmId, carried } = life.input;
  if (carried) return true;
  await life.provision(async () => {
    const started = await life.bringUp();
    await onHost(life.placement!.hostId).pauseGuest({ serviceVmId });
    if ((await records.publishWarm({ serviceVmId, ...started })) === 'retired') life.endReason ??= 'retired';
  });
  if (life.endReason) return false;
  life.state = 'warm';
  life.report('warm', ownSteps, 'Waiting to be claimed');
  await tellPoolThatItIsWarm(serviceVmId);
  const claimedOrOver = () => life.claim !== undefined || life.endReason !== undefined;
  await condition(() => claimedOrOver() || life.gone !== undefined);
  // It may have been claimed at this very moment: the row decides. Then whoever did so is heard of soon.
  if (!claimedOrOver() && (await records.retireIfUnused({ serviceVmId }))) life.endReason ??= life.gone!.reason;
  await condition(claimedOrOver);
  return life.endReason === undefined;
}
