import { setTimeout as sleep } from 'node:timers/promises';
import { admitStop, withdrawOperation } from '../activities/store/operations.ts';
import type { Idempotency } from '../activities/store/operations.ts';
import type { ServiceVmView } from '../activities/store/service-vms.ts';
import { CloudletError } from '../workflows/contract/errors.ts';
import type { ApiContext } from './context.ts';

/**
 * Begins to end an instance, and waits a while until it has ended.
 * @returns the operation's id
 * @throws CloudletError `state-conflict` when it has ended already
 */
export async function startStop(
  context: ApiContext,
  { serviceVm }: Pick<ServiceVmView, 'serviceVm'>,
  principal: string,
  idempotency: Idempotency | undefined,
  waitMs: number,
): Promise<string> {
  const { store, starter } = context;
  const { id: serviceVmId, workflowId, state } = serviceVm;
  const { operationId, repeated } = await admitStop(store, { serviceVmId, workflowId, principal, ...(idempotency ? { idempotency } : {}) });
  if (repeated) return operationId;
  if (state === 'stopped' || state === 'failed') {
    await withdrawOperation(store, operationId);
    throw new CloudletError('state-conflict', `The Service VM has ${state} already.`, { state });
  }
  try {
    const { ended } = await starter.stop(serviceVmId, { by: principal });
    await Promise.race([ended, sleep(waitMs)]);
  } catch (error) {
    await withdrawOperation(store, operationId);
    throw error;
  }
  return operationId;
}
