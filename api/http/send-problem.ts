import type { FastifyReply, FastifyRequest } from 'fastify';
import { toProblem } from '../../workflows/contract/errors.ts';
import { logError, toApiError } from './to-api-error.ts';

/** Answers with any error as RFC 9457 problem details, and logs those that are ours. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const answer = toApiError(error);
  logError(request, error, answer);
  if (answer.facts.retryAfterSeconds !== undefined) void reply.header('retry-after', String(answer.facts.retryAfterSeconds));
  return reply
    .code(answer.kind.httpStatus)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(toProblem(answer, request.id));
}
