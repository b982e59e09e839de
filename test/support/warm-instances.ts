/** Warm instances of a workflow lab, made as a host makes them. */
import { WorkflowIdConflictPolicy } from '@temporalio/client';
import { ServiceVm } from '../../activities/store/entities/service-vm.ts';
import { cloudletTaskQueue, fillWarmPoolWorkflowId } from '../../workflows/contract/ids.ts';
import type { ServiceVmInput } from '../../workflows/contract/service-vm.ts';
import type { FillWarmPoolOutcome } from '../../workflows/fill-warm-pool.ts';
import { eventually } from './eventually.ts';
import type { WorkflowLab } from './workflow-lab.ts';
import { insertService, type TestService } from './workflow-services.ts';

/** Brings the pool of the lab's host to what is wanted. */
export async function fillPool(lab: WorkflowLab, workflowId = fillWarmPoolWorkflowId(lab.hostId)): Promise<FillWarmPoolOutcome> {
  const handle = await lab.client.workflow.start('fillWarmPool', {
    workflowId,
    taskQueue: cloudletTaskQueue,
    args: [{ hostId: lab.hostId }],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
  });
  return (await handle.result()) as FillWarmPoolOutcome;
}

export const warmOf = async (lab: Pick<WorkflowLab, 'store'>, serviceId: string): Promise<ServiceVm[]> =>
  lab.store.fork().find(ServiceVm, { service: { serviceId }, purpose: 'warm', state: 'warm' }, { orderBy: { readyAt: 'asc' } });

/** A service with a pool, whose instances wait. @returns its name */
export async function warmService(lab: WorkflowLab, { spec, ...service }: TestService = {}, count = 1): Promise<string> {
  const serviceId = await insertService(lab.store, lab.hostId, { ...service, spec: { poolSize: count, ...spec } });
  if (count > 1) await lookAsked(lab, serviceId, count);
  await eventually(async () => {
    await fillPool(lab);
    const warm = await warmOf(lab, serviceId);
    if (warm.length < count) throw new Error(`${warm.length} instances are warm`);
  }, 20_000);
  return serviceId;
}

/** One warm instance of a new service that keeps no pool, so that nobody else comes between. @returns the service's name */
export async function warmAlone(lab: Pick<WorkflowLab, 'store' | 'hostId' | 'client'>, service: TestService = {}): Promise<string> {
  const serviceId = await insertService(lab.store, lab.hostId, service);
  const [row] = await lab.store.fork().execute<{ id: string; workflow_id: string }[]>(
    `insert into service_vms (id, service_id, spec, workflow_id, start_operation_id, state, shared, purpose, host_id, image_id, memory_mib, vcpus, requested_at)
     select w.id, s.id, s.spec, 'service-vm/' || w.id, w.id, 'requested', false, 'warm', ?, s.image_id, (s.spec -> 'memory' ->> 'idealMib')::int, (s.spec ->> 'vcpus')::int, now()
     from services s, (select gen_random_uuid() as id) w where s.service_id = ? returning id, workflow_id`,
    [lab.hostId, serviceId],
  );
  const { id: serviceVmId, workflow_id: workflowId } = row!;
  const input: ServiceVmInput = { serviceVmId, serviceId, purpose: 'warm', operationId: serviceVmId };
  await lab.client.workflow.start('serviceVm', { workflowId, taskQueue: cloudletTaskQueue, args: [input] });
  await eventually(async () => {
    if ((await warmOf(lab, serviceId)).length === 0) throw new Error('The instance is not warm');
  });
  return serviceId;
}

/** As if so many users had come at once a while ago. */
export const lookAsked = ({ store }: Pick<WorkflowLab, 'store'>, serviceId: string, count: number): Promise<unknown> =>
  store.fork().execute(
    `insert into service_vms (id, service_id, spec, workflow_id, start_operation_id, state, shared, purpose, requested_at)
     select asked.id, s.id, s.spec, asked.id::text, asked.id, 'stopped', false, 'serve', now() - interval '10 minutes'
     from services s, lateral (select gen_random_uuid() as id from generate_series(1, ?::int)) asked where s.service_id = ?`,
    [count, serviceId],
  );
