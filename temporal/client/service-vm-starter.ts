import { ApplicationFailure } from '@temporalio/common';
import {
  isGrpcServiceError,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowNotFoundError,
  WorkflowUpdateStage,
  type Client,
  type Workflow,
} from '@temporalio/client';
import type { Admission } from '../../activities/store/admission.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { describeFailure, toCloudletError } from '../../workflows/contract/failure.ts';
import { cloudletTaskQueue, serviceVmWorkflowId } from '../../workflows/contract/ids.ts';
import { serviceVmMessages } from '../../workflows/contract/service-vm-messages.ts';
import type {
  ClaimedServiceVm,
  ServiceVmInput,
  ServiceVmOutcome,
  ServiceVmReady,
  StopServiceVm,
} from '../../workflows/contract/service-vm.ts';

type Requested = Pick<Admission, 'serviceVmId' | 'serviceId' | 'operationId' | 'claimed'>;

/** A start that Temporal has taken over: it goes on whatever happens to us. */
export interface BegunStart {
  /** Rejects with the CloudletError that the start failed of. */
  readonly ready: Promise<ServiceVmReady>;
}

/** Starts instances and waits for them, through their workflows. One per process. */
export class ServiceVmStarter {
  readonly #client: Client;
  /** A workflow takes ten updates at once, and two hundred phones may wait for it: all of a process share one. */
  readonly #starts = new Map<string, Promise<BegunStart>>();

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Sees to it that the instance of an admission is being started. Whoever comes later, in this process or another,
   * finds the same start.
   * @returns once the workflow has taken it up
   * @throws CloudletError `workflow-unavailable` when Temporal does not answer, `state-conflict` when the instance has ended
   */
  begin(admission: Requested): Promise<BegunStart> {
    const { serviceVmId } = admission;
    const known = this.#starts.get(serviceVmId);
    if (known) return known;
    const begun = this.#updateWithStart(admission);
    this.#starts.set(serviceVmId, begun);
    const forget = () => this.#starts.delete(serviceVmId);
    begun.then(({ ready }) => ready.then(forget, forget), forget);
    return begun;
  }

  /** Waits until the instance answers. @throws CloudletError what the start failed of */
  async awaitReady(admission: Requested): Promise<ServiceVmReady> {
    const { ready } = await this.begin(admission);
    return ready;
  }

  /**
   * Has an instance ended, whoever uses it.
   * @returns once its workflow has taken that up; `ended` resolves when nothing of it is left
   * @throws CloudletError `state-conflict` when it has ended already
   */
  async stop(serviceVmId: string, request: StopServiceVm): Promise<{ readonly ended: Promise<ServiceVmOutcome> }> {
    const handle = this.#client.workflow.getHandle(serviceVmWorkflowId(serviceVmId));
    const update = await translated(() =>
      handle.startUpdate<ServiceVmOutcome, [StopServiceVm]>(serviceVmMessages.stop, {
        args: [request],
        waitForStage: WorkflowUpdateStage.ACCEPTED,
      }),
    );
    return { ended: quiet(translated(() => update.result())) };
  }

  #updateWithStart({ serviceVmId, serviceId, operationId, claimed }: Requested): Promise<BegunStart> {
    const input: ServiceVmInput = { serviceVmId, serviceId, purpose: 'serve', operationId };
    const startWorkflowOperation = new WithStartWorkflowOperation('serviceVm', {
      workflowId: serviceVmWorkflowId(serviceVmId),
      taskQueue: cloudletTaskQueue,
      args: [input],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      // Where a warm instance has lost its workflow, another one starts it by the next rung.
      workflowIdReusePolicy: claimed ? WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY : WorkflowIdReusePolicy.REJECT_DUPLICATE,
      staticSummary: serviceId,
      searchAttributes: { CloudletServiceVm: [serviceVmId], CloudletService: [serviceId], CloudletOperation: ['service-vm.start'] },
    });
    return translated(async () => {
      const update = await this.#client.workflow
        .startUpdateWithStart<Workflow, ServiceVmReady, [ClaimedServiceVm]>(serviceVmMessages.awaitReady, {
          args: [{ operationId }],
          startWorkflowOperation,
          waitForStage: WorkflowUpdateStage.ACCEPTED,
        })
        .catch((error: unknown) => this.#howItEnded(serviceVmId, error));
      return { ready: quiet(translated(() => update.result())) };
    });
  }

  /** Whoever comes when all is over is told what those were told who came in time. */
  async #howItEnded(serviceVmId: string, refused: unknown): Promise<never> {
    if (refused instanceof WorkflowExecutionAlreadyStartedError) {
      await this.#client.workflow.getHandle(serviceVmWorkflowId(serviceVmId)).result().catch(throwStartFailure);
    }
    throw refused;
  }
}

function throwStartFailure(error: unknown): void {
  if (error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure) throw error;
}

/** A promise that nobody need wait for: its rejection is not unhandled. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
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
