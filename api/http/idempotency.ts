import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Idempotency } from '../../activities/store/idempotency.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';

/**
 * The key by which a client may repeat a POST without doing it twice, with what it came with.
 * @throws CloudletError `invalid-input`
 */
export function idempotencyOf(request: FastifyRequest): { idempotency?: Idempotency } {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return {};
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(key)) {
    throw new CloudletError('invalid-input', 'Idempotency-Key must be 1 to 200 printable ASCII characters.');
  }
  const requestHash = createHash('sha256')
    .update(`${request.method} ${request.url}\n`)
    .update(JSON.stringify(request.body ?? null))
    .digest('hex');
  return { idempotency: { key, requestHash } };
}
