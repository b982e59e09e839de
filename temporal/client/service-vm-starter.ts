import {
  isGrpcServiceError,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowNotFoundError,
  type Client,
  type Workflow,
} from '@temporalio/client';
import type { Admission } from '../../activities/store/admission.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { describeFailure, toCloudletError } from '../../workflows/contract/failure.ts';
import { cloudletTaskQueue, serviceVmWorkflowId } from '../../workflows/contract/ids.ts';
import {
  serviceVmMessages,
  type ServiceVmInput,
  type ServiceVmOutcome,
  type ServiceVmReady,
  type StopServiceVm,
} from '../../workflows/contract/service-vm.ts';

/** Starts instances and waits for them, through their workflows. One per process. */
export class ServiceVmStarter {
  readonly #client: Client;
  /** A workflow takes ten updates at once, and two hundred phones may wait for it: all of a process share one. */
  readonly #waiting = new Map<string, Promise<ServiceVmReady>>();

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Sees to it that the instance of an admission is being started, and waits until it answers. Whoever comes later, in
   * this process or another, waits for the same start; it goes on even when nobody waits any more.
   * @throws CloudletError what the start failed of; `workflow-unavailable` when Temporal does not answer
   */
  awaitReady(admission: Pick<Admission, 'serviceVmId' | 'serviceId' | 'operationId'>): Promise<ServiceVmReady> {
    const { serviceVmId } = admission;
    const waiting = this.#waiting.get(serviceVmId);
    if (waiting) return waiting;
    const started = this.#updateWithStart(admission).finally(() => this.#waiting.delete(serviceVmId));
    this.#waiting.set(serviceVmId, started);
    return started;
  }

  /** Ends an instance, whoever uses it. Resolves when nothing of it is left. @throws CloudletError */
  async stop(serviceVmId: string, request: StopServiceVm): Promise<ServiceVmOutcome> {
    const handle = this.#client.workflow.getHandle(serviceVmWorkflowId(serviceVmId));
    return translated(() => handle.executeUpdate<ServiceVmOutcome, [StopServiceVm]>(serviceVmMessages.stop, { args: [request] }));
  }

  #updateWithStart({ serviceVmId, serviceId, operationId }: Pick<Admission, 'serviceVmId' | 'serviceId' | 'operationId'>): Promise<ServiceVmReady> {
    const input: ServiceVmInput = { serviceVmId, serviceId, purpose: 'serve', operationId };
    const startWorkflowOperation = new WithStartWorkflowOperation('serviceVm', {
      workflowId: serviceVmWorkflowId(serviceVmId),
      taskQueue: cloudletTaskQueue,
      args: [input],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      staticSummary: serviceId,
      searchAttributes: { CloudletServiceVm: [serviceVmId], CloudletService: [serviceId], CloudletOperation: ['service-vm.start'] },
    });
    return translated(() =>
      this.#client.workflow.executeUpdateWithStart<Workflow, ServiceVmReady, []>(serviceVmMessages.awaitReady, { startWorkflowOperation }),
    );
  }
}

/** Temporal's errors in our words. */
async function translated<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw asCloudletError(error);
  }
}

export function asCloudletError(error: unknown): CloudletError {
  if (error instanceof WorkflowNotFoundError || error instanceof WorkflowExecutionAlreadyStartedError) {
    return new CloudletError('state-conflict', 'The Service VM has ended already. Start it again.', { state: 'ended' }, { cause: error });
  }
  const described = describeFailure(error);
  if (described.code !== 'internal') return toCloudletError(described);
  if (isUnavailable(error)) {
    return new CloudletError(
      'workflow-unavailable',
      'The workflow engine does not answer. What you asked for may still be carried out: ask again, and you will find it.',
      { retryAfterSeconds: 2 },
      { cause: error },
    );
  }
  return toCloudletError(described);
}

/** gRPC's ways to say that nobody is there or answers: CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE. */
const unavailableCodes = new Set([1, 4, 14]);

function isUnavailable(error: unknown): boolean {
  for (let link = error; link instanceof Error; link = link.cause) {
    if (isGrpcServiceError(link) && unavailableCodes.has(link.code)) return true;
  }
  return false;
}
