import type { WorkflowHandle } from '@temporalio/client';
import { admitStart, type Admission } from '../../activities/store/admission.ts';
import { ServiceVm } from '../../activities/store/entities/service-vm.ts';
import { admitStop } from '../../activities/store/operations.ts';
import { CloudletError, type ErrorCode } from '../../workflows/contract/errors.ts';
import { serviceVmMessages } from '../../workflows/contract/service-vm-messages.ts';
import type { ServiceVmOutcome, ServiceVmReady } from '../../workflows/contract/service-vm.ts';
import { eventually } from './eventually.ts';
import type { FaultPlan } from './workflow-faults.ts';
import { heldBy } from './workflow-invariants.ts';
import type { WorkflowLab } from './workflow-lab.ts';
import { insertService, type TestService } from './workflow-services.ts';

/** An instance that a user was admitted to. Nothing runs yet. */
export interface TestInstance extends Admission {
  readonly plan: FaultPlan;
  readonly handle: WorkflowHandle;
  /** Starts it, or waits beside those who have, in a process of its own. @throws CloudletError */
  readonly awaitReady: () => Promise<ServiceVmReady>;
  /** Ends it, as the API does. @throws CloudletError */
  readonly stop: () => Promise<ServiceVmOutcome>;
  readonly row: () => Promise<ServiceVm>;
  /** What it holds: empty once it has ended. */
  readonly held: () => Promise<string[]>;
}

/** Makes a service and admits its first user. */
export async function newInstance(lab: WorkflowLab, service: TestService = {}): Promise<TestInstance> {
  const serviceId = await insertService(lab.store, lab.hostId, service);
  return instanceOf(lab, await join(lab, serviceId, 'device:first'));
}

/** Admits a user to whatever instance there is room in. */
export const join = (lab: WorkflowLab, serviceId: string, holder: string): Promise<Admission> =>
  admitStart(lab.store, { serviceId, holder, join: true, dialect: 'v1' });

export function instanceOf(lab: WorkflowLab, admission: Admission): TestInstance {
  const { serviceVmId, workflowId } = admission;
  return {
    ...admission,
    plan: lab.faults.of(workflowId),
    handle: lab.client.workflow.getHandle(workflowId),
    awaitReady: () => lab.newStarter().awaitReady(admission),
    async stop() {
      await admitStop(lab.store, { serviceVmId, workflowId, principal: 'test' });
      const { ended } = await lab.newStarter().stop(serviceVmId, { by: 'test' });
      return ended;
    },
    row: () => lab.store.fork().findOneOrFail(ServiceVm, { id: serviceVmId }),
    held: () => heldBy(lab, [workflowId]),
  };
}

/** An instance that is ready. */
export async function readyInstance(lab: WorkflowLab, service: TestService = {}): Promise<TestInstance> {
  const instance = await newInstance(lab, service);
  await instance.awaitReady();
  return instance;
}

/** Makes its history larger than what Temporal suggests another run for: 4 MiB. @returns once it has continued as new */
export async function fillHistory({ handle }: Pick<TestInstance, 'handle'>): Promise<void> {
  const { runId } = await handle.describe();
  const tell = (filling: string) => handle.signal(serviceVmMessages.leasesChanged, { users: 1, filling });
  for (let sent = 0; sent < 3; sent += 1) await tell('x'.repeat(1_500_000));
  await eventually(async () => {
    // The suggestion comes with a workflow task, and that with news.
    await tell('');
    if ((await handle.describe()).runId === runId) throw new Error('It did not continue as new');
  });
}

/** @returns the code that it is refused with; undefined when it is granted */
export const refusalOf = (asked: Promise<unknown>): Promise<ErrorCode | undefined> =>
  asked.then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof CloudletError) return error.code;
      throw error;
    },
  );
