import { allHandlersFinished, condition, continueAsNew, sleep, workflowInfo } from '@temporalio/workflow';
import { records } from '../activities.ts';
import type { GuestStopped } from '../contract/service-vm.ts';
import { msPerMinute, msPerSecond } from '../contract/units.ts';
import type { serviceVm } from '../service-vm.ts';
import { ownSteps, type ServiceVmLife } from './life.ts';

/** A guest that keeps dying is given up; one that stayed up for long starts counting anew. */
const maximumRestarts = 5;
const restartCountResetMs = 10 * msPerMinute;
const restartDelayMs = (restarts: number): number => Math.min(2 ** (restarts - 1), 30) * msPerSecond;

/** How often the guest of an instance came back, and since when it serves. */
interface Restarts {
  count: number;
  readySinceMs: number;
}

/** Serves users until the last one left, somebody ends it, or its guest is gone for good. */
export async function serve(life: ServiceVmLife): Promise<void> {
  const { restarts: count = 0, readySinceMs = 0 } = life.input.carried ?? {};
  const restarts: Restarts = { count, readySinceMs };
  if (!life.ready) await publish(life, restarts);
  while (await shouldRestart(life, restarts)) {
    await life.clearAway();
    await life.provision(() => sleep(restartDelayMs(restarts.count)));
    await publish(life, restarts);
  }
}

async function publish(life: ServiceVmLife, restarts: Restarts): Promise<void> {
  const { serviceVmId, serviceId } = life.input;
  await life.provision(async () => {
    const started = await life.bringUp();
    life.ready = await records.publishReady({ serviceVmId, ...started, reached: life.report('publish', ownSteps, 'Ready') });
  });
  life.state = 'ready';
  restarts.readySinceMs = Date.now();
  life.report('ready', ownSteps, 'Ready');
  life.tell('serviceVm.ready', { serviceVmId, serviceId, hostId: life.placement!.hostId });
}

/** While it serves. @returns false when the instance is to end, true when its guest is to be started again */
async function shouldRestart(life: ServiceVmLife, restarts: Restarts): Promise<boolean> {
  for (;;) {
    await condition(() => isOver(life) || workflowInfo().continueAsNewSuggested);
    if (life.endReason) return false;
    if (life.gone) return prepareRestart(life, restarts, life.gone);
    if (life.unused) {
      life.unused = false;
      if (!(await records.retireIfUnused({ serviceVmId: life.input.serviceVmId }))) continue;
      life.endReason = 'last-user-left';
      return false;
    }
    await goOnAsNew(life, restarts);
  }
}

const isOver = ({ endReason, gone, unused }: ServiceVmLife): boolean => endReason !== undefined || gone !== undefined || unused;

/** @returns whether the restart policy brings the guest back; if not, why it ends is noted */
async function prepareRestart(life: ServiceVmLife, restarts: Restarts, { reason }: GuestStopped): Promise<boolean> {
  const { serviceVmId } = life.input;
  const { restartPolicy } = life.placement!;
  if (Date.now() - restarts.readySinceMs > restartCountResetMs) restarts.count = 0;
  const wanted = restartPolicy === 'always' || (restartPolicy === 'on-failure' && reason !== 'guest-stopped');
  if (!wanted || restarts.count >= maximumRestarts || (await records.retireIfUnused({ serviceVmId }))) {
    life.endReason = reason;
    return false;
  }
  restarts.count += 1;
  life.ready = undefined;
  life.state = 'provisioning';
  await records.publishRestarting({ serviceVmId, restarts: restarts.count, reason });
  return true;
}

/** History must not grow for ever, and an instance may live for months. */
async function goOnAsNew(life: ServiceVmLife, restarts: Restarts): Promise<void> {
  await life.told;
  await condition(allHandlersFinished);
  if (isOver(life)) return;
  const { input, operationId, placement, ready, bootId } = life;
  await continueAsNew<typeof serviceVm>({
    ...input,
    operationId,
    carried: { placement: placement!, ready: ready!, bootId, restarts: restarts.count, readySinceMs: restarts.readySinceMs },
  });
}
