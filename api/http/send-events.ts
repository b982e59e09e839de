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

/**
 * Options of a route that streams events. A HEAD of one would never end, so there is none; and who cannot read events is
 * told so instead of being sent some.
 */
export const eventStream = { sse: 'manual', exposeHeadRoute: false, preHandler: requireAcceptable } as const;

async function requireAcceptable({ headers: { accept } }: FastifyRequest): Promise<void> {
  if (accept === undefined || /text\/event-stream|text\/\*|\*\/\*/i.test(accept)) return;
  throw new CloudletError('not-acceptable', 'Events come as text/event-stream only: send it as Accept.');
}

/**
 * Sends events as they come, until they end or the client goes away. When they break off, the client comes back with
 * the id of the last one that it got.
 */
export async function sendEvents(reply: FastifyReply, events: AsyncIterable<RecordedEvent>): Promise<void> {
  // At once, although nothing may happen for long: the client shall know that it is heard.
  reply.sse.sendHeaders();
  reply.raw.flushHeaders();
  try {
    await reply.sse.send(asMessages(events));
  } catch (error) {
    if (reply.sse.isConnected) reply.log.warn({ error }, 'A stream of events broke off');
  }
}

async function* asMessages(events: AsyncIterable<RecordedEvent>) {
  for await (const { seq, type, at, subject, operationId, data } of events) {
    yield { id: String(seq), event: type, data: { at: at.toISOString(), subject, operationId, ...data } };
  }
}
