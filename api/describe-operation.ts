import type { Operation } from '../activities/store/entities/operation.ts';
import { watchWorkflow } from '../temporal/client/operation-workflow.ts';
import type { OperationBody } from '../workflows/contract/http.ts';
import type { ApiContext } from './context.ts';

/**
 * An operation as others see it: its row and, while it runs, what its workflow and the steps under way say now.
 * @param options.admin whether the reader may know who asked
 * @param options.live whether to ask Temporal; when it does not answer, the row alone must do
 */
export async function describeOperation(
  context: ApiContext,
  operation: Operation,
  { admin, live }: { admin: boolean; live: boolean },
): Promise<OperationBody> {
  const running = operation.state === 'running';
  const watched = running && live ? await watchWorkflow(context.temporal, operation.workflowId).catch(() => undefined) : undefined;
  return {
    id: operation.id,
    kind: operation.kind,
    state: operation.state,
    subject: operation.subject,
    principal: admin ? operation.principal : null,
    progress: operation.progress,
    attempts: watched ?? [],
    result: operation.result,
    problem: operation.problem,
    cancellable: running && operation.kind !== 'service-vm.stop',
    workflowId: operation.workflowId,
    temporalUrl: temporalUrl(context, operation.workflowId),
    createdAt: operation.createdAt.toISOString(),
    finishedAt: operation.finishedAt?.toISOString() ?? null,
  };
}

export function temporalUrl({ temporalUiUrl, temporalNamespace }: ApiContext, workflowId: string): string | null {
  if (temporalUiUrl === undefined) return null;
  return `${temporalUiUrl.replace(/\/$/, '')}/namespaces/${temporalNamespace}/workflows/${encodeURIComponent(workflowId)}`;
}
