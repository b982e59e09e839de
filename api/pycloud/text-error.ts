import { STATUS_CODES } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CloudletError } from '../../workflows/contract/errors.ts';
import { logError, toApiError } from '../http/to-api-error.ts';

/** A sentence a status, as pycloud's framework gave one; the detail that follows says what really happened. */
const explanations: Readonly<Record<number, string>> = {
  400: 'The server could not comply with the request since it is either malformed or otherwise incorrect.',
  401: 'This server could not verify that you are authorized to access what you asked for.',
  403: 'Access was denied to this resource.',
  404: 'The resource could not be found.',
  405: 'The method is not allowed for this resource.',
  503: 'The server is currently unavailable. Please try again at a later time.',
};

/** Answers with any error in the form of this dialect, and logs those that are ours. */
export function sendTextError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const answer = toApiError(error);
  logError(request, error, answer);
  const { contentType, body } = textError(answer, request.headers.accept);
  if (answer.facts.retryAfterSeconds !== undefined) void reply.header('retry-after', String(answer.facts.retryAfterSeconds));
  return reply
    .code(answer.kind.httpStatus)
    .header('content-type', contentType)
    .header('cache-control', 'no-cache')
    .header('pragma', 'no-cache')
    .send(body);
}

/**
 * An error in the form that stock clients show to people: text, or a page where the client asked for one. They show what
 * follows the first `#` of a 401 or 403.
 */
export function textError(
  { kind: { httpStatus, title: kindTitle }, message }: CloudletError,
  accept = '',
): { contentType: string; body: string } {
  const detail = httpStatus === 401 || httpStatus === 403 ? `#${message}` : message;
  const title = `${httpStatus} ${STATUS_CODES[httpStatus] ?? ''}`;
  const explanation = explanations[httpStatus] ?? `${kindTitle}.`;
  return /html|\*\/\*/.test(accept)
    ? {
        contentType: 'text/html; charset=UTF-8',
        body: `<html>\n <head>\n  <title>${title}</title>\n </head>\n <body>\n  <h1>${title}</h1>\n  ${explanation}<br /><br />\n${escapeHtml(detail)}\n\n </body>\n</html>`,
      }
    : { contentType: 'text/plain; charset=UTF-8', body: `${title}\n\n${explanation}\n\n${detail}\n` };
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character]!);
