import type { FastifyRequest } from 'fastify';
import type { Operation } from '../activities/store/entities/operation.ts';
import type { RecordedEvent } from '../activities/store/events.ts';
import { findOperation } from '../activities/store/operations.ts';
import type { ApiContext } from './context.ts';
import { waitPreferenceMs } from './http/wait-preference.ts';

const ends = new Set(['operation.succeeded', 'operation.failed', 'operation.cancelled']);

/** Whether this is the last event of an operation. */
export const hasEnded = ({ type }: RecordedEvent): boolean => ends.has(type);

/**
 * Waits until an operation has ended, or has come so far, for as long as the client would like to.
 * @returns how it is then
 */
export async function waitForOperation(
  { store, feed }: ApiContext,
  operationId: string,
  request: FastifyRequest,
  isEnough: (event: RecordedEvent) => boolean = () => false,
): Promise<Operation> {
  const find = async (): Promise<Operation> => (await findOperation(store, operationId))!;
  const present = await find();
  const waitMs = waitPreferenceMs(request);
  if (waitMs === 0 || present.state !== 'running') return present;
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(waitMs)]);
  for await (const event of feed.watch({ after: 0, operationId }, signal)) {
    if (hasEnded(event) || isEnough(event)) break;
  }
  return find();
}
