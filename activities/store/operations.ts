import { randomUUID } from 'node:crypto';
import { raw, type EntityManager } from '@mikro-orm/postgresql';
import { CloudletError, toProblem, type Problem } from '../../workflows/contract/errors.ts';
import { toCloudletError, type DescribedFailure } from '../../workflows/contract/failure.ts';
import type { OperationKind, OperationState, Progress } from '../../workflows/contract/operation.ts';
import { Operation } from './entities/operation.ts';
import { appendEvent } from './events.ts';
import { forget, once, type Idempotency } from './idempotency.ts';
import type { PageStart } from './page-start.ts';
import type { Store } from './store.ts';

export interface NewOperation {
  readonly kind: OperationKind;
  readonly workflowId: string;
  readonly subject: string;
  readonly principal: string;
}

/** Writes the row of an operation that its caller is about to start. */
export const createOperation = (em: EntityManager, operation: NewOperation): Operation =>
  em.create(Operation, {
    ...operation,
    id: randomUUID(),
    state: 'running',
    progress: null,
    result: null,
    problem: null,
    finishedAt: null,
    createdAt: new Date(),
  });

/** How far a running operation is. Told to whoever watches; never fails the work that it describes. */
export async function recordProgress(store: Store, operationId: string, progress: Progress): Promise<void> {
  await store.transaction(async (em) => {
    const changed = await em.nativeUpdate(Operation, { id: operationId, state: 'running' }, { progress });
    if (changed === 0) return;
    appendEvent(em, { type: 'operation.progress', subject: operationId, operationId, audience: 'owner', data: { ...progress } });
  });
}

export type Settlement =
  | {
      readonly state: Extract<OperationState, 'succeeded'>;
      readonly result?: Record<string, unknown>;
      readonly reached?: Progress | undefined;
    }
  | { readonly state: Extract<OperationState, 'failed' | 'cancelled'>; readonly error: CloudletError };

/**
 * Ends the running operations of a workflow that are of one of these kinds. Repeating it changes nothing.
 */
export async function settleOperations(
  em: EntityManager,
  workflowId: string,
  kinds: readonly OperationKind[],
  settlement: Settlement,
): Promise<void> {
  const problem: Problem | null = settlement.state === 'succeeded' ? null : toProblem(settlement.error);
  const result = settlement.state === 'succeeded' ? (settlement.result ?? {}) : null;
  const reached = settlement.state === 'succeeded' && settlement.reached ? { progress: settlement.reached } : {};
  const settled = await em
    .createQueryBuilder(Operation)
    .update({ state: settlement.state, problem, result, finishedAt: new Date(), ...reached })
    .where({ workflowId, kind: { $in: [...kinds] }, state: 'running' })
    .returning(['id', 'kind'])
    .execute<Pick<Operation, 'id' | 'kind'>[]>('all');
  for (const { id, kind } of settled) {
    appendEvent(em, {
      type: `operation.${settlement.state}`,
      subject: id,
      operationId: id,
      audience: 'owner',
      data: { kind, ...(problem ? { problem } : {}), ...(result ? { result } : {}) },
    });
  }
}

export interface NewStop {
  readonly serviceVmId: string;
  readonly workflowId: string;
  readonly principal: string;
  readonly idempotency?: Idempotency;
}

/** Writes the operation of a stop that is about to begin, or finds the one that the same key began. */
export async function admitStop(store: Store, stop: NewStop): Promise<{ operationId: string; repeated: boolean }> {
  const { serviceVmId, workflowId, principal, idempotency } = stop;
  return store.transaction(async (em) => {
    const { answer, repeated } = await once(em, principal, idempotency, async () => {
      const { id } = createOperation(em, { kind: 'service-vm.stop', workflowId, subject: serviceVmId, principal });
      return { operationId: id };
    });
    return { ...answer, repeated };
  });
}

/** Takes back a stop that never began, so that it can be asked for again with the same key. */
export async function withdrawStop(store: Store, operationId: string, { principal, idempotency }: NewStop): Promise<void> {
  await store.transaction(async (em) => {
    await em.nativeDelete(Operation, { id: operationId, state: 'running' });
    if (idempotency) await forget(em, principal, idempotency);
  });
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

/**
 * Ends one operation. Appends events, so it belongs at the end of its transaction.
 * @returns false when it had ended already
 */
export async function settleOperation(em: EntityManager, operationId: string, settlement: Settlement): Promise<boolean> {
  const operation = await em.findOne(Operation, { id: operationId, state: 'running' });
  if (operation) await settleOperations(em, operation.workflowId, [operation.kind], settlement);
  return operation !== null;
}

/** Ends an operation that failed or was cancelled. Repeating it changes nothing. */
export async function recordFailure(store: Store, operationId: string, failure: DescribedFailure): Promise<void> {
  const state = failure.code === 'cancelled' ? 'cancelled' : 'failed';
  await store.transaction(async (em) => void (await settleOperation(em, operationId, { state, error: toCloudletError(failure) })));
}

/** Ends an operation whose workflow is over without having said so. */
export async function settleLost(store: Store, operationId: string): Promise<void> {
  const error = new CloudletError(
    'internal',
    'The cloudlet lost track of this operation. Look at what it was about, and ask again if need be.',
  );
  await store.transaction(async (em) => void (await settleOperation(em, operationId, { state: 'failed', error })));
}

export const findOperation = (store: Store, id: string): Promise<Operation | null> => store.fork().findOne(Operation, { id });

const aboutService = `(subject = ? or subject in (
  select i.id::text from service_vms i join services s on s.id = i.service_id where s.service_id = ?))`;

export interface OperationFilter {
  readonly states?: readonly OperationState[];
  readonly kind?: OperationKind;
  /** What they are about. */
  readonly subject?: string;
  /** A service: those about any of its instances, too. */
  readonly serviceId?: string;
  readonly before?: PageStart;
  readonly limit: number;
}

export async function listOperations(store: Store, filter: OperationFilter): Promise<Operation[]> {
  const { states, kind, subject, serviceId, before, limit } = filter;
  return store.fork().find(
    Operation,
    {
      ...(states ? { state: { $in: [...states] } } : {}),
      ...(kind ? { kind } : {}),
      ...(subject === undefined ? {} : { subject }),
      ...(serviceId === undefined ? {} : { [raw(aboutService, [serviceId, serviceId])]: [] }),
      ...(before ? { $or: [{ createdAt: { $lt: before.at } }, { createdAt: before.at, id: { $lt: before.id } }] } : {}),
    },
    { orderBy: { createdAt: 'desc', id: 'desc' }, limit },
  );
}
