import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RecordedEvent } from '../../activities/store/events.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';

/**
 * Where a client that comes back wants to go on.
 * @throws CloudletError `invalid-input`
 */
export function lastEventId(request: FastifyRequest): number | undefined {
  const header = request.headers['last-event-id'];
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !/^\d{1,15}$/.test(header)) {
    throw new CloudletError('invalid-input', 'Last-Event-ID must be the id of an event that you got here.');
  }
  return Number(header);
}

/** Sends events as they come, until they end or the client goes away. */
export async function sendEvents(reply: FastifyReply, events: AsyncIterable<RecordedEvent>): Promise<void> {
  void reply.header('x-accel-buffering', 'no');
  await reply.sse.send(asMessages(events));
}

async function* asMessages(events: AsyncIterable<RecordedEvent>) {
  for await (const { seq, type, at, subject, operationId, data } of events) {
    yield { id: String(seq), event: type, data: { at: at.toISOString(), subject, operationId, ...data } };
  }
}
