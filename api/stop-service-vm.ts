import type { Idempotency } from '../activities/store/idempotency.ts';
import { admitStop, withdrawStop } from '../activities/store/operations.ts';
import type { ServiceVmView } from '../activities/store/service-vms.ts';
import { CloudletError } from '../workflows/contract/errors.ts';
import type { ApiContext } from './context.ts';
import { settledWithin } from './settled-within.ts';

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
  const stop = { serviceVmId, workflowId, principal, ...(idempotency ? { idempotency } : {}) };
  const { operationId, repeated } = await admitStop(store, stop);
  if (repeated) return operationId;
  const { ended } = await begin().catch(async (error: unknown) => {
    await withdrawStop(store, operationId, stop);
    throw error;
  });
  // It has been taken up: from here on the operation says how it goes, whoever goes on watching.
  await settledWithin(
    ended.catch(() => undefined),
    waitMs,
  );
  return operationId;

  async function begin() {
    if (state === 'stopped' || state === 'failed') {
      throw new CloudletError('state-conflict', `The Service VM has ${state} already.`, { state });
    }
    return starter.stop(serviceVmId, { by: principal });
  }
}
