import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { IfMatch } from '../../activities/store/entity-tag.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';

/** Header of requests that change something which others may change at the same time. */
export const IfMatchHeader = Type.Object({
  'if-match': Type.Optional(Type.String({ description: 'The ETag that you read it with: refused (412) when it has changed since' })),
});

/**
 * Entity tags that the client accepts (RFC 9110, §13.1.1). A weak one never matches.
 * @throws CloudletError `invalid-input`
 */
export function ifMatchOf({ headers }: FastifyRequest): IfMatch {
  const text = headers['if-match'];
  if (text === undefined) return undefined;
  const tags = text.split(',').map((tag) => tag.trim());
  if (tags.every((tag) => tag === '*' || /^(W\/)?"[\x21\x23-\x7e]*"$/.test(tag))) return tags;
  throw new CloudletError('invalid-input', 'If-Match must be * or entity tags in double quotes, as an ETag header gave them.');
}
