import { setTimeout as sleep } from 'node:timers/promises';
import type { WarmActivities } from '../../workflows/contract/activities.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { msPerSecond } from '../../workflows/contract/units.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { findInstance } from '../store/instances.ts';
import { takeUpClaim, unended } from '../store/warm-service-vms.ts';
import { domainName, type HostContext } from './host-context.ts';
import { answerAsItself, imageOf } from './guest-identity.ts';
import { awaitInstance } from './readiness.ts';
import type { WorkflowSignals } from './workflow-signals.ts';

export interface WarmContext extends HostContext {
  readonly signals: Pick<WorkflowSignals, 'retire'>;
}

const lookEveryMs = 50;
/** One that takes longer is left to the next reconciliation; what waits for its memory goes on. */
const retireWithinMs = 10 * msPerSecond;

const gone = () => new CloudletError('guest-unresponsive', 'The guest that waited is gone.');

/** What is done with guests that wait, paused, for somebody who claims them. */
export function createWarmActivities(context: WarmContext): WarmActivities {
  const { store, hypervisor, signals } = context;
  return {
    pauseGuest: ({ serviceVmId }) => hypervisor.suspendDomain(domainName(context, serviceVmId)),

    claimGuest: ({ serviceVmId, bootId, timeoutMs }) =>
      withHeartbeat(async (signal) => {
        const name = domainName(context, serviceVmId);
        const wake = async () => {
          if (!(await hypervisor.resumeDomain(name, bootId))) throw gone();
        };
        // First, since its user waits; what else there is to know is found out meanwhile.
        const [, instance] = await Promise.all([wake(), findInstance(store, serviceVmId)]);
        if (!instance) throw gone();
        const answers = answerAsItself({ hypervisor, name, serviceVmId, image: imageOf(instance), clockAlone: true }, () =>
          awaitInstance(context, instance, timeoutMs, signal),
        );
        await Promise.all([answers, takeUpClaim(store, serviceVmId)]);
      }),

    retireWarm: ({ serviceVmIds }) =>
      withHeartbeat(async (signal) => {
        for (const serviceVmId of serviceVmIds) await signals.retire(serviceVmId);
        const deadline = performance.now() + retireWithinMs;
        while (performance.now() < deadline && (await unended(store, serviceVmIds)).length > 0) {
          await sleep(lookEveryMs, undefined, { signal });
        }
      }),
  };
}
