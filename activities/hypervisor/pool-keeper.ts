import { poolWantsWork } from '../store/pool.ts';
import { claimsToTell, retiringWarm } from '../store/warm-service-vms.ts';
import type { HostContext } from './host-context.ts';
import type { WorkflowSignals } from './workflow-signals.ts';

export interface PoolWatch extends Pick<HostContext, 'hostId' | 'store'> {
  readonly signals: WorkflowSignals;
  /** Begins to fill the host's pool; fine when that is under way. */
  readonly fillPool: (hostId: string) => Promise<void>;
}

/**
 * Looks after a host's warm instances: tells those that were claimed or retired, in case whoever did so did not live to
 * tell them, and has the pool filled when it is not as it should be.
 */
export async function keepPool({ hostId, store, signals, fillPool }: PoolWatch): Promise<void> {
  for (const { serviceVmId, operationId } of await claimsToTell(store, hostId)) await signals.claimed(serviceVmId, { operationId });
  for (const serviceVmId of await retiringWarm(store, hostId)) await signals.retire(serviceVmId);
  if (await poolWantsWork(store, hostId)) await fillPool(hostId);
}
