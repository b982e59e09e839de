import { defaultPayloadConverter } from '@temporalio/common';
import type { Client } from '@temporalio/client';
import type { Operation } from '../../activities/store/entities/operation.ts';
import type { OperationKind } from '../../workflows/contract/operation.ts';
import { asCloudletError, type ServiceVmStarter } from './service-vm-starter.ts';

/** A step of an operation that is under way. */
export interface StepAttempt {
  readonly activity: string;
  /** From 1. */
  readonly attempt: number;
  readonly lastFailure: string | null;
  readonly heartbeat?: unknown;
}

/** The steps of a workflow that are under way now, as Temporal has them. */
export async function watchWorkflow(client: Client, workflowId: string): Promise<StepAttempt[]> {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  return (raw.pendingActivities ?? []).map((pending) => {
    const [heartbeat] = pending.heartbeatDetails?.payloads ?? [];
    return {
      activity: pending.activityType?.name ?? '',
      attempt: pending.attempt ?? 1,
      lastFailure: pending.lastFailure?.message ?? null,
      ...(heartbeat ? { heartbeat: defaultPayloadConverter.fromPayload(heartbeat) } : {}),
    };
  });
}

type Cancel = (client: Client, starter: ServiceVmStarter, operation: Operation, by: string) => Promise<void>;

const cancelWorkflow: Cancel = async (client, _starter, { workflowId }) => {
  await client.workflow.getHandle(workflowId).cancel();
};

/** How each kind of operation is ended before its time. */
const cancels: Readonly<Record<OperationKind, Cancel>> = {
  'service-vm.start': async (_client, starter, { subject }, by) => void (await starter.stop(subject, { by })),
  'service-vm.stop': async () => undefined,
  'service.build': cancelWorkflow,
  'service.edit': cancelWorkflow,
  'service.refresh': cancelWorkflow,
  'service.remove': cancelWorkflow,
  'image.verify': cancelWorkflow,
  'service.import': cancelWorkflow,
  'service.export': cancelWorkflow,
  'app.install': cancelWorkflow,
};

/** Asks an operation to end and to undo what it did. @throws CloudletError */
export async function cancelOperation(client: Client, starter: ServiceVmStarter, operation: Operation, by: string): Promise<void> {
  try {
    await cancels[operation.kind](client, starter, operation, by);
  } catch (error) {
    throw asCloudletError(error);
  }
}
