/** Images that are edited, as operations that the laws are tried on. */
import { requireEdit } from '../../activities/store/service-edits.ts';
import { saveEdit } from '../../temporal/client/save-edit.ts';
import { startBuild } from '../../temporal/client/start-build.ts';
import { buildServiceImageWorkflowId } from '../../workflows/contract/ids.ts';
import { eventually } from './eventually.ts';
import type { WorkflowLab } from './workflow-lab.ts';
import { workflowOver, type Prepare } from './workflow-operations.ts';
import { insertService, testSpec } from './workflow-services.ts';

/** What an admin does in an editing VM before it is saved. */
type Edits = (lab: WorkflowLab, serviceVmId: string, workflowId: string) => Promise<void>;
export const justLooks: Edits = async () => undefined;
export const shutsItDown: Edits = (lab, serviceVmId) =>
  lab.signals.guestStopped(serviceVmId, lab.host.loseGuest(serviceVmId, 'guest-stopped'));
export const discards: Edits = (lab, _serviceVmId, workflowId) =>
  lab.client.workflow
    .getHandle(workflowId)
    .cancel()
    .then(() => undefined);

/** The image of a service is edited, and saved until that works. */
export const edits =
  (doEdit: Edits): Prepare =>
  async (lab) => {
    const spec = testSpec();
    await insertService(lab.store, lab.hostId, { spec });
    const { serviceId } = spec;
    const workflowId = buildServiceImageWorkflowId(serviceId);
    return {
      workflowId,
      async run() {
        await startBuild(lab.store, lab.client, {
          spec,
          save: false,
          edit: true,
          principal: 'test',
          source: { kind: 'service', serviceId },
        });
        // An edit that fails before it can be saved is told by its workflow.
        saveOnceEdited(lab, serviceId, doEdit).catch(() => undefined);
        await workflowOver(lab, workflowId);
      },
    };
  };

async function saveOnceEdited(lab: WorkflowLab, serviceId: string, doEdit: Edits): Promise<void> {
  const serviceVmId = await eventually(async () => {
    const { serviceVm } = await requireEdit(lab.store, serviceId);
    if (serviceVm.state !== 'ready') throw new Error(`The editing VM is ${serviceVm.state}`);
    return serviceVm.id;
  });
  await doEdit(lab, serviceVmId, buildServiceImageWorkflowId(serviceId));
  await eventually(async () => {
    const { saved } = await saveEdit(lab.client, serviceVmId);
    await saved;
  });
}
