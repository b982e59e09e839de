import type { EntityManager } from '@mikro-orm/postgresql';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { IdempotencyKey } from './entities/idempotency-key.ts';

/** A key that the client chose, and what it came with. */
export interface Idempotency {
  readonly key: string;
  /** SHA-256 of the request, hex. */
  readonly requestHash: string;
}

/** How long a client may go on repeating a request. */
const keptFor = '7 days';

/**
 * Does something once for each key of a principal, inside the caller's transaction: a repeat gets the first answer
 * again. Of two requests with the same key at the same time, one waits for the other.
 * @param work what is to be done once; its answer must survive JSON
 * @throws CloudletError `invalid-input` when the key came with another request before
 */
export async function once<Answer extends object>(
  em: EntityManager,
  principal: string,
  idempotency: Idempotency | undefined,
  work: () => Promise<Answer>,
): Promise<{ readonly answer: Answer; readonly repeated: boolean }> {
  if (!idempotency) return { answer: await work(), repeated: false };
  const { key, requestHash } = idempotency;
  await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`idempotency:${principal}:${key}`]);
  const known = await em.findOne(IdempotencyKey, { principal, key });
  if (known && known.requestHash !== requestHash) {
    throw new CloudletError('invalid-input', 'This Idempotency-Key was used before with another request. Use a new key for a new request.');
  }
  // Written below, and by nobody else.
  if (known) return { answer: known.answer as Answer, repeated: true };
  const answer = await work();
  await em.execute(`delete from idempotency_keys where created_at < now() - interval '${keptFor}'`);
  await em.execute('insert into idempotency_keys (principal, key, request_hash, answer, created_at) values (?, ?, ?, ?::jsonb, now())', [
    principal,
    key,
    requestHash,
    JSON.stringify(answer),
  ]);
  return { answer, repeated: false };
}

/** Lets the same key begin anew. */
export async function forget(em: EntityManager, principal: string, { key }: Idempotency): Promise<void> {
  await em.nativeDelete(IdempotencyKey, { principal, key });
}
