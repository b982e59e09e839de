import { randomUUID } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { CloudletError, toProblem, type Problem } from '../../workflows/contract/errors.ts';
import type { OperationKind, OperationState, Progress } from '../../workflows/contract/operation.ts';
import { Operation } from './entities/operation.ts';
import { appendEvent } from './events.ts';
import type { Store } from './store.ts';

/** A key that the client chose, and what it came with. */
export interface Idempotency {
  readonly key: string;
  /** SHA-256 of the request, hex. */
  readonly requestHash: string;
}

export interface NewOperation {
  readonly kind: OperationKind;
  readonly workflowId: string;
  readonly subject: string;
  readonly principal: string;
  readonly idempotency?: Idempotency;
}

/** Writes the row of an operation that its caller is about to start. */
export function createOperation(em: EntityManager, operation: NewOperation, id: string = randomUUID()): Operation {
  const { idempotency, ...rest } = operation;
  return em.create(Operation, {
    ...rest,
    id,
    state: 'running',
    idempotencyKey: idempotency?.key ?? null,
    requestHash: idempotency?.requestHash ?? null,
    progress: null,
    result: null,
    problem: null,
    finishedAt: null,
    createdAt: new Date(),
  });
}

/**
 * The operation that an earlier request with the same key began, if there is one. Waits while a request with the same
 * key is being admitted, so that two of them never both start something.
 * @throws CloudletError `invalid-input` when the key came with another request before
 */
export async function findRepeated(em: EntityManager, principal: string, idempotency: Idempotency): Promise<Operation | null> {
  await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`idempotency:${principal}:${idempotency.key}`]);
  const operation = await em.findOne(Operation, { principal, idempotencyKey: idempotency.key });
  if (operation && operation.requestHash !== idempotency.requestHash) {
    throw new CloudletError('invalid-input', 'This Idempotency-Key was used before with another request. Use a new key for a new request.');
  }
  return operation;
}

/** How far a running operation is. Told to whoever watches; never fails the work that it describes. */
export async function recordProgress(store: Store, operationId: string, progress: Progress): Promise<void> {
  await store.transaction(async (em) => {
    const changed = await em.nativeUpdate(Operation, { id: operationId, state: 'running' }, { progress });
    if (changed === 0) return;
    await appendEvent(em, { type: 'operation.progress', subject: operationId, operationId, audience: 'owner', data: { ...progress } });
  });
}

export type Settlement =
  | { readonly state: Extract<OperationState, 'succeeded'>; readonly result?: Record<string, unknown> }
  | { readonly state: Extract<OperationState, 'failed' | 'cancelled'>; readonly error: CloudletError };

/**
 * Ends the running operations of a workflow that are of one of these kinds. Repeating it changes nothing.
 * Appends events, so it belongs at the end of its transaction.
 */
export async function settleOperations(
  em: EntityManager,
  workflowId: string,
  kinds: readonly OperationKind[],
  settlement: Settlement,
): Promise<void> {
  const problem: Problem | null = settlement.state === 'succeeded' ? null : toProblem(settlement.error);
  const result = settlement.state === 'succeeded' ? (settlement.result ?? {}) : null;
  const open = await em.find(Operation, { workflowId, kind: { $in: [...kinds] }, state: 'running' });
  for (const operation of open) {
    Object.assign(operation, { state: settlement.state, problem, result, finishedAt: new Date() });
  }
  await em.flush();
  for (const { id, kind } of open) {
    await appendEvent(em, {
      type: `operation.${settlement.state}`,
      subject: id,
      operationId: id,
      audience: 'owner',
      data: { kind, ...(problem ? { problem } : {}), ...(result ? { result } : {}) },
    });
  }
}

/** Writes the operation of a stop that is about to begin, or finds the one that the same key began. */
export async function admitStop(
  store: Store,
  stop: { serviceVmId: string; workflowId: string; principal: string; idempotency?: Idempotency },
): Promise<{ operationId: string; repeated: boolean }> {
  const { serviceVmId, workflowId, principal, idempotency } = stop;
  return store.transaction(async (em) => {
    const before = idempotency && (await findRepeated(em, principal, idempotency));
    if (before) return { operationId: before.id, repeated: true };
    const operation = createOperation(em, {
      kind: 'service-vm.stop',
      workflowId,
      subject: serviceVmId,
      principal,
      ...(idempotency ? { idempotency } : {}),
    });
    return { operationId: operation.id, repeated: false };
  });
}

/** Takes back an operation that never began. */
export async function withdrawOperation(store: Store, operationId: string): Promise<void> {
  await store.fork().nativeDelete(Operation, { id: operationId, state: 'running' });
}

/** Running operations that are old enough to have been taken up by their workflow. */
export async function runningOperations(store: Store): Promise<{ id: string; workflowId: string }[]> {
  const rows = await store
    .fork()
    .execute<{ id: string; workflow_id: string }[]>(
      `select id, workflow_id from operations where state = 'running' and created_at < now() - interval '1 minute'`,
    );
  return rows.map((row) => ({ id: row.id, workflowId: row.workflow_id }));
}

/** Ends an operation whose workflow is over without having said so. */
export async function settleLost(store: Store, operationId: string): Promise<void> {
  const error = new CloudletError(
    'internal',
    'The cloudlet lost track of this operation. Look at what it was about, and ask again if need be.',
  );
  await store.transaction(async (em) => {
    const operation = await em.findOne(Operation, { id: operationId, state: 'running' });
    if (operation) await settleOperations(em, operation.workflowId, [operation.kind], { state: 'failed', error });
  });
}

export const findOperation = (store: Store, id: string): Promise<Operation | null> => store.fork().findOne(Operation, { id });

export async function listOperations(
  store: Store,
  filter: { states?: readonly OperationState[]; kind?: OperationKind; before?: string; limit: number },
): Promise<Operation[]> {
  const { states, kind, before, limit } = filter;
  return store.fork().find(
    Operation,
    {
      ...(states ? { state: { $in: [...states] } } : {}),
      ...(kind ? { kind } : {}),
      ...(before ? { createdAt: { $lt: new Date(before) } } : {}),
    },
    { orderBy: { createdAt: 'desc' }, limit },
  );
}
