/** What operations may leave behind, and what they must have come to. */
import { readdir } from 'node:fs/promises';
import { installsInUse } from '../../activities/store/apps.ts';
import { serviceVmIdOf } from '../../workflows/contract/ids.ts';
import { isWorkflowOpen } from '../../temporal/client/workflow-directory.ts';
import type { WorkflowLab } from './workflow-lab.ts';

/** Names of what the operations of these workflows hold: empty once all of them are over. */
export async function heldBy(lab: WorkflowLab, workflowIds: readonly string[]): Promise<string[]> {
  const serviceVmIds = workflowIds.flatMap((workflowId) => serviceVmIdOf(workflowId) ?? []);
  const rows = await lab.store.fork().execute<{ what: string }[]>(
    `with vm as (select * from service_vms where id = any(?::uuid[]))
     select 'memory or vCPUs reserved' as what from vm where memory_mib > 0 or vcpus > 0
     union all select 'a row that is ' || state from vm where state not in ('stopped', 'failed')
     union all select 'port ' || host_port from port_reservations where service_vm_id in (select id from vm)
     union all select 'a lease of ' || holder from leases where service_vm_id in (select id from vm)
     union all select 'a running operation: ' || kind from operations where state = 'running' and workflow_id = any(?::text[])
     union all select 'image ' || i.number || ' that was never published' from service_images i join services s on s.id = i.service_id
       where i.number > coalesce((select number from service_images where id = s.image_id), 0) and 'build-service-image/' || s.service_id = any(?::text[])
     union all select 'a service in the trash whose removal did not succeed' from services s
       where trashed_by is not null and 'remove-service/' || service_id = any(?::text[])
       and not exists (select 1 from operations where id = s.trashed_by and state = 'succeeded')
     union all select 'an upload that an operation holds' from uploads u join operations o on o.id = u.operation_id
       where o.workflow_id = any(?::text[])
     union all select 'a service without an image' from services
       where image_id is null and 'build-service-image/' || service_id = any(?::text[])`,
    [`{${serviceVmIds.join(',')}}`, ...Array.from({ length: 5 }, () => textArray(workflowIds))],
  );
  const guests = serviceVmIds.filter((serviceVmId) => lab.host.guestOf(serviceVmId)).map(() => 'a guest that runs');
  const folders = (await filesIn(lab.paths.instances)).filter((name) => serviceVmIds.includes(name)).map(() => 'the folder of an instance');
  const operationIds = await operationsOf(lab, workflowIds);
  const incoming = (await filesIn(lab.paths.incoming)).filter((name) =>
    [...serviceVmIds, ...operationIds].some((id) => name.startsWith(id)),
  );
  const unpublished = await bundlesOfFailed(lab, operationIds);
  const installed = await installsInUse(lab.store);
  const installs = (await filesIn(lab.paths.apps)).filter((name) => operationIds.includes(name) && !installed.has(name));
  const open = await Promise.all(workflowIds.map((workflowId) => isWorkflowOpen(lab.client, workflowId)));
  return [
    ...rows.map(({ what }) => what),
    ...guests,
    ...folders,
    ...incoming.map(() => 'a file on its way in'),
    ...unpublished.map(() => 'the file of a bundle that was never published'),
    ...installs.map(() => 'files of an app that nobody has'),
    ...open.filter(Boolean).map(() => 'an open workflow'),
  ];
}

async function bundlesOfFailed({ store, paths }: WorkflowLab, operationIds: readonly string[]): Promise<string[]> {
  const published = await store
    .fork()
    .execute<{ id: string }[]>('select id from bundles where id = any(?::uuid[])', [`{${operationIds.join(',')}}`]);
  const unpublished = operationIds.filter((id) => !published.some((bundle) => bundle.id === id));
  return (await filesIn(paths.exports)).filter((name) => unpublished.some((id) => name.startsWith(id)));
}

/** What operations have come to, free of everything that differs from one time to the next. */
export async function endStateOf(lab: WorkflowLab, workflowIds: readonly string[]): Promise<readonly string[]> {
  const serviceVmIds = workflowIds.flatMap((workflowId) => serviceVmIdOf(workflowId) ?? []);
  const operationIds = await operationsOf(lab, workflowIds);
  const services = workflowIds.map((workflowId) =>
    workflowId.replace(/^(build-service-image|refresh-saved-state|remove-service|install-app)\//, ''),
  );
  const events = await lab.store
    .fork()
    .execute<{ type: string; data: { rung?: string; reason?: string; problem?: { code: string } } }[]>(
      `select type, data from events where type <> 'operation.progress' and subject = any(?::text[]) order by seq`,
      [textArray([...serviceVmIds, ...operationIds, ...services])],
    );
  const rows = await lab.store.fork().execute<{ line: string }[]>(
    `select concat_ws(' ', 'instance', state, end_reason, rung, 'restarts', restarts, problem ->> 'code') as line
       from service_vms where id = any(?::uuid[])`,
    [`{${serviceVmIds.join(',')}}`],
  );
  return [
    ...events.map(({ type, data }) => [type, data.rung, data.reason, data.problem?.code].filter(Boolean).join(' ')),
    ...rows.map(({ line }) => line),
    ...serviceVmIds.map((serviceVmId) => `${lab.host.boots.get(serviceVmId)?.length ?? 0} boots`),
  ];
}

async function operationsOf(lab: WorkflowLab, workflowIds: readonly string[]): Promise<string[]> {
  const rows = await lab.store
    .fork()
    .execute<{ id: string }[]>('select id from operations where workflow_id = any(?::text[])', [textArray(workflowIds)]);
  return rows.map(({ id }) => id);
}

const textArray = (values: readonly string[]): string => `{${values.map((value) => JSON.stringify(value)).join(',')}}`;

const filesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
