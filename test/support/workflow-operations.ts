/** The operations that the laws are tried on: how each is begun, and what a client of it is told in the end. */
import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import { ServiceVm } from '../../activities/store/entities/service-vm.ts';
import { isWorkflowOpen } from '../../temporal/client/workflow-directory.ts';
import { keepPool } from '../../activities/hypervisor/pool-keeper.ts';
import { endLease } from '../../activities/store/leases.ts';
import { createOperation } from '../../activities/store/operations.ts';
import { createRefresh } from '../../activities/store/refreshes.ts';
import { asCloudletError } from '../../temporal/client/service-vm-starter.ts';
import { startBuild } from '../../temporal/client/start-build.ts';
import { startRemoval } from '../../temporal/client/start-removal.ts';
import type { ReconcileHostOutcome } from '../../workflows/reconcile-host.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import {
  buildServiceImageWorkflowId,
  cloudletTaskQueue,
  reconcileHostWorkflowId,
  refreshSavedStateWorkflowId,
  removeServiceWorkflowId,
  fillWarmPoolWorkflowId,
  verifyImagesWorkflowId,
} from '../../workflows/contract/ids.ts';
import type { ImageSource } from '../../workflows/contract/image-source.ts';
import { eventually } from './eventually.ts';
import type { WorkflowLab } from './workflow-lab.ts';
import { instanceOf, join, newInstance, readyInstance, type TestInstance } from './workflow-instance.ts';
import { insertService, testSpec, type TestService } from './workflow-services.ts';
import { fillPool, warmAlone } from './warm-instances.ts';

export interface Prepared {
  readonly workflowId: string;
  /** Resolves when all of it is over. @throws CloudletError what the client is told */
  readonly run: () => Promise<void>;
}

export type Prepare = (lab: WorkflowLab) => Promise<Prepared>;

/** As many API processes as wait for one start at the same time. */
const waiters = 2;

/** Waits in several processes. @throws CloudletError that all of them were told */
async function awaitReadyEverywhere(instance: TestInstance): Promise<void> {
  const told = await Promise.allSettled(Array.from({ length: waiters }, () => instance.awaitReady()));
  const refusals = told.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as CloudletError] : []));
  const [first] = refusals;
  if (!first) return;
  if (refusals.length < waiters || refusals.some(({ code }) => code !== first.code)) {
    throw new Error(`The waiters were told different things: ${JSON.stringify(told)}`);
  }
  throw first;
}

/** What happens to an instance from the moment it is ready. */
export type Afterwards = (lab: WorkflowLab, instance: TestInstance) => Promise<void>;

/** A start, and what follows. */
export const starts =
  (service: TestService, afterwards: Afterwards): Prepare =>
  async (lab) => {
    const instance = await newInstance(lab, service);
    return {
      workflowId: instance.workflowId,
      async run() {
        await awaitReadyEverywhere(instance);
        await afterwards(lab, instance);
      },
    };
  };

/** A start that claims a warm instance, and what follows. */
export const claims =
  (service: TestService, afterwards: Afterwards): Prepare =>
  async (lab) => {
    const serviceId = await warmAlone(lab, service);
    const instance = instanceOf(lab, await join(lab, serviceId, 'device:first'));
    return {
      workflowId: instance.workflowId,
      async run() {
        await awaitReadyEverywhere(instance);
        await afterwards(lab, instance);
      },
    };
  };

/** A pool of one is filled, and emptied again when it is switched off. */
export const fillsAndEmptiesAPool: Prepare = async (lab) => {
  const workflowId = `${fillWarmPoolWorkflowId(lab.hostId)}/${randomUUID()}`;
  const serviceId = await insertService(lab.store, lab.hostId, { saved: true, spec: { poolSize: 1 } });
  const switchOff = () => lab.store.fork().execute(`update services set spec = spec - 'poolSize' where service_id = ?`, [serviceId]);
  lab.faults.coverChildrenOf(workflowId);
  return {
    workflowId,
    async run() {
      try {
        await fillPool(lab, workflowId);
        await switchOff();
        await fillPool(lab, workflowId);
      } catch (error) {
        throw error instanceof WorkflowFailedError ? asCloudletError(error) : error;
      } finally {
        // What a failed run left to do, the host does with its next look.
        await switchOff();
        await eventually(async () => {
          await keepPool({ ...lab, fillPool: async () => void (await fillPool(lab, `${workflowId}/again`)) });
          const begun = await lab.store.fork().find(ServiceVm, { service: { serviceId } });
          const open = await Promise.all(begun.map((row) => isWorkflowOpen(lab.client, row.workflowId)));
          if (open.includes(true)) throw new Error('The pool was not emptied');
        });
      }
    },
  };
};

export const isStopped: Afterwards = async (_lab, instance) => void (await instance.stop());

/** Of which the workflow's own pause is one second. */
const comesBackWithinMs = 25_000;

/** The guest dies and comes back; then somebody ends it. @throws CloudletError why it did not come back */
export const losesItsGuest: Afterwards = async (lab, { serviceVmId, row, stop }) => {
  await lab.signals.guestStopped(serviceVmId, lab.host.loseGuest(serviceVmId));
  const { problem } = await eventually(async () => {
    const { state, restarts, problem } = await row();
    if (state !== 'failed' && !(state === 'ready' && restarts === 1)) throw new Error(`It neither came back nor ended; it is ${state}`);
    return { problem };
  }, comesBackWithinMs);
  if (problem) throw new CloudletError(problem.code, problem.detail);
  await stop();
};

export const losesItsLastUser: Afterwards = async (lab, { serviceVmId, leaseId, workflowId }) => {
  await endLease(lab.store, leaseId);
  await lab.signals.leasesChanged(serviceVmId, { users: 0 });
  await workflowOver(lab, workflowId);
};

/** @throws CloudletError what the workflow failed of */
export async function workflowOver<T>(lab: WorkflowLab, workflowId: string): Promise<T> {
  try {
    return (await lab.client.workflow.getHandle(workflowId).result()) as T;
  } catch (error) {
    throw error instanceof WorkflowFailedError ? asCloudletError(error) : error;
  }
}

export const builds =
  (source: ImageSource['kind'], save: boolean): Prepare =>
  async (lab) => {
    const spec = testSpec();
    const workflowId = buildServiceImageWorkflowId(spec.serviceId);
    return {
      workflowId,
      async run() {
        await startBuild(lab.store, lab.client, { spec, save, principal: 'test', source: sources[source](spec.serviceId) });
        await workflowOver(lab, workflowId);
      },
    };
  };

const sources: Readonly<Record<ImageSource['kind'], (serviceId: string) => ImageSource>> = {
  catalogue: (serviceId) => ({ kind: 'catalogue', serviceId }),
  disk: () => ({ kind: 'disk', file: 'own.qcow2', format: 'qcow2' }),
  upload: () => ({ kind: 'upload', uploadId: randomUUID(), format: 'qcow2' }),
  pair: () => ({ kind: 'pair', folder: 'own' }),
  service: (serviceId) => ({ kind: 'service', serviceId }),
  container: () => ({ kind: 'container', file: 'own.tar' }),
  recipe: (serviceId) => ({ kind: 'recipe', base: { kind: 'catalogue', serviceId }, commands: ['true'] }),
};

/** The removal of a service that somebody uses; what remains of the instance where it failed is ended. */
export const removes =
  (purge: boolean): Prepare =>
  async (lab) => {
    const instance = await readyInstance(lab);
    const { serviceId } = instance;
    const workflowId = removeServiceWorkflowId(serviceId);
    return {
      workflowId,
      async run() {
        try {
          const removal = { serviceId, stop: true, purge, principal: 'test', ifMatch: undefined };
          const { ended } = await startRemoval(lab.store, lab.client, removal);
          await ended;
        } finally {
          await instance.stop().catch(() => undefined);
        }
        await workflowOver(lab, instance.workflowId);
      },
    };
  };

/** All images: those of a service that was built just now, since what scripted services are said to have is nowhere. */
export const verifies: Prepare = async (lab) => {
  await lab.store.fork().execute('delete from image_locations');
  await builds('disk', false)(lab).then(({ run }) => run());
  const workflowId = `${verifyImagesWorkflowId}/${randomUUID()}`;
  return {
    workflowId,
    async run() {
      const asked = { kind: 'image.verify', workflowId, subject: 'images', principal: 'test' } as const;
      const { id: operationId } = await lab.store.transaction(async (em) => createOperation(em, asked));
      await lab.client.workflow.start('verifyImages', { workflowId, taskQueue: cloudletTaskQueue, args: [{ operationId }] });
      await workflowOver(lab, workflowId);
    },
  };
};

/** The saved state of a service was made by another QEMU, and is made anew. */
export const refreshes: Prepare = async (lab) => {
  const serviceId = await insertService(lab.store, lab.hostId, { saved: true });
  await outdateState(lab, serviceId);
  const workflowId = refreshSavedStateWorkflowId(serviceId);
  return {
    workflowId,
    async run() {
      const { id: operationId } = await lab.store.transaction(async (em) => createRefresh(em, serviceId));
      const args = [{ operationId, serviceId }];
      await lab.client.workflow.start('refreshSavedState', { workflowId, taskQueue: cloudletTaskQueue, args });
      await workflowOver(lab, workflowId);
    },
  };
};

/** As if the host had another QEMU since the service was built. */
export const outdateState = ({ store }: Pick<WorkflowLab, 'store'>, serviceId: string): Promise<unknown> =>
  store.fork().execute(
    `update service_images set saved_under = jsonb_set(saved_under, '{qemuVersion}', '"6.0.0"')
     where id = (select image_id from services where service_id = ?)`,
    [serviceId],
  );

/** An instance whose workflow was terminated while it served, and the host set right again. */
export const reconciles: Prepare = async (lab) => {
  const workflowId = `${reconcileHostWorkflowId(lab.hostId)}/${randomUUID()}`;
  const orphan = await readyInstance(lab);
  await orphan.handle.terminate();
  lab.faults.cover(orphan.workflowId, workflowId);
  return { workflowId, run: async () => void (await reconcile(lab, workflowId)) };
};

/** Sets the host right, those operations included that a reconciliation would think too young. */
export async function reconcile(lab: WorkflowLab, workflowId: string = randomUUID()): Promise<ReconcileHostOutcome> {
  await lab.store.fork().execute(`update operations set created_at = now() - interval '1 hour' where state = 'running'`);
  await lab.client.workflow.start('reconcileHost', { workflowId, taskQueue: cloudletTaskQueue, args: [{ hostId: lab.hostId }] });
  return workflowOver<ReconcileHostOutcome>(lab, workflowId);
}
