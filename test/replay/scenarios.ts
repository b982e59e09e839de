/** Shapes that executions take. Their histories must replay as long as an execution like them may be open somewhere. */
import { randomUUID } from 'node:crypto';
import type { BoundHandler } from '../../workflows/contract/activities.ts';
import { serviceVmIdOf } from '../../workflows/contract/ids.ts';
import type { Placement } from '../../workflows/contract/service-vm.ts';
import { failsForGood, hangs, type CallKey, type Fault } from '../support/workflow-faults.ts';
import { discards, edits, justLooks, shutsItDown } from '../support/workflow-edits.ts';
import { exports, imports } from '../support/workflow-bundles.ts';
import { fillHistory, refusalOf } from '../support/workflow-instance.ts';
import { installs, replacesAnApp } from '../support/workflow-installs.ts';
import type { WorkflowLab } from '../support/workflow-lab.ts';
import type { Operation } from '../support/workflow-laws.ts';
import {
  builds,
  claims,
  fillsAndEmptiesAPool,
  isStopped,
  losesItsGuest,
  losesItsLastUser,
  reconcile,
  reconciles,
  refreshes,
  removes,
  starts,
  verifies,
  workflowOver,
  type Afterwards,
  type Prepare,
} from '../support/workflow-operations.ts';

type Cut = (lab: WorkflowLab, workflowId: string) => Promise<unknown>;

/** One call of the operation hangs until something happens that cuts it short. */
const cutShort =
  (prepare: Prepare, call: CallKey, cut: Cut): Prepare =>
  async (lab) => {
    const { workflowId, run } = await prepare(lab);
    const plan = lab.faults.of(workflowId).inject(call, hangs);
    const runAndCut = async () => {
      const told = refusalOf(run());
      await plan.reached(call);
      await cut(lab, workflowId);
      await told;
    };
    return { workflowId, run: runAndCut };
  };

const isCancelled: Cut = (lab, workflowId) => lab.client.workflow.getHandle(workflowId).cancel();
const isAskedToStop: Cut = async (lab, workflowId) => {
  const { ended } = await lab.newStarter().stop(serviceVmIdOf(workflowId)!, { by: 'test' });
  await ended;
};
const guestDies: Cut = (lab, workflowId) => {
  const serviceVmId = serviceVmIdOf(workflowId)!;
  return lab.signals.guestStopped(serviceVmId, lab.host.loseGuest(serviceVmId));
};

const continuesAsNew: Afterwards = async (lab, instance) => {
  await fillHistory(instance);
  await losesItsGuest(lab, instance);
};

const losesItsGuestForGood: Afterwards = async (lab, instance) => {
  await guestDies(lab, instance.workflowId);
  await workflowOver(lab, instance.workflowId);
};

/** Told too early that nobody uses it, and once more when that is true. */
const losesItsUsers: Afterwards = async (lab, instance) => {
  await lab.signals.leasesChanged(instance.serviceVmId, { users: 0 });
  await instance.plan.reached('retireIfUnused#1');
  await losesItsLastUser(lab, instance);
};

/** As if a plugin listened to everything that is gone by the time it is to be told. */
const listener: Readonly<Record<CallKey, Fault>> = {
  'reserve#1': async ({ work }) => ({
    ...((await work()) as Placement),
    events: ['serviceVm.provisioning', 'serviceVm.ready', 'serviceVm.stopping', 'serviceVm.stopped'],
  }),
  'handlersOf#1': names('serviceVm.provisioning'),
  'handlersOf#2': names('serviceVm.ready'),
  'handlersOf#3': names('serviceVm.stopping'),
  'handlersOf#4': names('serviceVm.stopped'),
};

function names(handler: string): Fault {
  const bound: BoundHandler = {
    pluginId: 'listener',
    handler,
    blocking: handler === 'serviceVm.provisioning',
    timeoutMs: 1_000,
    attempts: 1,
  };
  return async () => [bound];
}

const reconcilesInVain: Prepare = async (lab) => {
  const workflowId = randomUUID();
  return { workflowId, run: async () => void (await reconcile(lab, workflowId)) };
};

const coldBoot = starts({}, isStopped);
const restore = starts({ saved: true }, isStopped);
const build = builds('catalogue', true);

/** The name is that of the history's file; an execution that has children or continues as new makes several. */
export const scenarios: readonly Pick<Operation, 'name' | 'prepare' | 'planted'>[] = [
  { name: 'service-vm-cold-boot', prepare: coldBoot },
  { name: 'service-vm-restore', prepare: restore },
  { name: 'service-vm-falls-to-cold-boot', prepare: restore, planted: { 'restoreGuest#1': failsForGood('hypervisor-refused') } },
  { name: 'service-vm-no-room', prepare: coldBoot, planted: { 'reserve#1': failsForGood('capacity-exhausted') } },
  { name: 'service-vm-boot-fails', prepare: coldBoot, planted: { 'bootGuest#1': failsForGood('hypervisor-refused') } },
  { name: 'service-vm-undo-fails', prepare: coldBoot, planted: { 'destroyGuest#1': failsForGood('hypervisor-refused') } },
  { name: 'service-vm-stopped-while-probed', prepare: cutShort(coldBoot, 'awaitGuest#1', isAskedToStop) },
  { name: 'service-vm-cancelled-while-booting', prepare: cutShort(coldBoot, 'bootGuest#1', isCancelled) },
  { name: 'service-vm-guest-dies-while-probed', prepare: cutShort(coldBoot, 'awaitGuest#1', guestDies) },
  { name: 'service-vm-guest-dies', prepare: starts({}, losesItsGuest) },
  { name: 'service-vm-guest-dies-for-good', prepare: starts({ spec: { restartPolicy: 'never' } }, losesItsGuestForGood) },
  { name: 'service-vm-last-user-leaves', prepare: starts({}, losesItsUsers) },
  { name: 'service-vm-plugins', prepare: coldBoot, planted: listener },
  { name: 'service-vm-vetoed', prepare: coldBoot, planted: { ...listener, 'runHandler#1': failsForGood('forbidden') } },
  { name: 'service-vm-continues-as-new', prepare: starts({}, continuesAsNew) },
  { name: 'service-vm-claimed', prepare: claims({ saved: true }, isStopped) },
  {
    name: 'service-vm-claim-falls',
    prepare: claims({ saved: true }, isStopped),
    planted: { 'claimGuest#1': failsForGood('guest-unresponsive') },
  },
  { name: 'service-vm-claimed-loses-its-guest', prepare: claims({}, losesItsGuest) },
  { name: 'warm-pool', prepare: fillsAndEmptiesAPool },
  { name: 'warm-pool-fails', prepare: fillsAndEmptiesAPool, planted: { 'pauseGuest#1': failsForGood('hypervisor-refused') } },
  { name: 'build-from-catalogue', prepare: build },
  { name: 'build-from-disk', prepare: builds('disk', false) },
  { name: 'build-fails', prepare: build, planted: { 'saveGuest#1': failsForGood('capacity-exhausted') } },
  { name: 'build-cancelled', prepare: cutShort(build, 'bootGuest#1', isCancelled) },
  { name: 'remove-service', prepare: removes(false) },
  { name: 'remove-service-cancelled', prepare: cutShort(removes(true), 'liveInstancesOf#1', isCancelled) },
  { name: 'remove-service-fails', prepare: removes(true), planted: { 'recordRemoval#1': failsForGood('state-conflict') } },
  { name: 'build-by-recipe', prepare: builds('recipe', true) },
  { name: 'build-whose-recipe-fails', prepare: builds('recipe', true), planted: { 'runRecipe#1': failsForGood('recipe-failed') } },
  { name: 'edit-saved', prepare: edits(justLooks) },
  { name: 'edit-saved-at-the-second-attempt', prepare: edits(justLooks), planted: { 'saveGuest#1': failsForGood('capacity-exhausted') } },
  { name: 'edit-saved-after-shutdown', prepare: edits(shutsItDown) },
  { name: 'edit-discarded', prepare: edits(discards) },
  { name: 'refresh-saved-state', prepare: refreshes },
  { name: 'refresh-saved-state-fails', prepare: refreshes, planted: { 'saveGuest#1': failsForGood('capacity-exhausted') } },
  { name: 'refresh-saved-state-cancelled', prepare: cutShort(refreshes, 'bootGuest#1', isCancelled) },
  { name: 'verify-images', prepare: verifies },
  { name: 'verify-images-cancelled', prepare: cutShort(verifies, 'verifyImage#1', isCancelled) },
  { name: 'import-service', prepare: imports },
  { name: 'import-service-refused', prepare: imports, planted: { 'unpackBundle#1': failsForGood('unprocessable-bundle') } },
  { name: 'import-service-cancelled', prepare: cutShort(imports, 'unpackBundle#1', isCancelled) },
  { name: 'export-service', prepare: exports },
  { name: 'export-service-fails', prepare: exports, planted: { 'writeBundle#1': failsForGood('image-unavailable') } },
  { name: 'export-service-cancelled', prepare: cutShort(exports, 'writeBundle#1', isCancelled) },
  { name: 'install-app', prepare: installs },
  { name: 'install-app-anew', prepare: replacesAnApp },
  { name: 'install-app-refused', prepare: installs, planted: { 'prepareApp#1': failsForGood('unprocessable-app') } },
  { name: 'install-app-cancelled', prepare: cutShort(installs, 'prepareApp#1', isCancelled) },
  { name: 'reconcile-nothing', prepare: reconcilesInVain },
  { name: 'reconcile-an-orphan', prepare: reconciles },
  { name: 'reconcile-fails', prepare: reconciles, planted: { 'retireOrphan#1': failsForGood('hypervisor-refused') } },
];
