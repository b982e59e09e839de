import { CloudletError } from '../../workflows/contract/errors.ts';
import { buildServiceImageWorkflowId } from '../../workflows/contract/ids.ts';
import { Operation } from './entities/operation.ts';
import { ServiceVm } from './entities/service-vm.ts';
import { viewOf, type ServiceVmView } from './service-vms.ts';
import type { Store } from './store.ts';

/** An image of a service that an admin is at work on. */
export interface ServiceEdit extends ServiceVmView {
  readonly operation: Operation;
}

/** @returns undefined while nobody edits the service, and until the editing VM has been asked for */
export async function findEdit(store: Store, serviceId: string): Promise<ServiceEdit | undefined> {
  const em = store.fork();
  const operation = await em.findOne(Operation, {
    workflowId: buildServiceImageWorkflowId(serviceId),
    kind: 'service.edit',
    state: 'running',
  });
  if (!operation) return undefined;
  const serviceVm = await em.findOne(
    ServiceVm,
    { startOperationId: operation.id, purpose: 'edit' },
    { populate: ['service', 'host', 'image'] },
  );
  return serviceVm ? { operation, ...(await viewOf(em, serviceVm)) } : undefined;
}

/** @throws CloudletError `not-found` */
export async function requireEdit(store: Store, serviceId: string): Promise<ServiceEdit> {
  const edit = await findEdit(store, serviceId);
  if (!edit) {
    throw new CloudletError(
      'not-found',
      `There is no editing VM of "${serviceId}". POST /v1/services/${encodeURIComponent(serviceId)}/edit starts one; it takes a moment.`,
    );
  }
  return edit;
}
