import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { msPerHour, msPerMinute } from '../../workflows/contract/units.ts';
import { Session, SignInCode } from './entities/session.ts';
import type { Store } from './store.ts';

export const sessionTokenPrefix = 'cls_';
const sessionLengthMs = 12 * msPerHour;
const codeLengthMs = 15 * msPerMinute;

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** Makes a code that signs in once, within a quarter of an hour. */
export async function createSignInCode(store: Store): Promise<{ code: string; expiresInSeconds: number }> {
  const code = randomBytes(18).toString('base64url');
  const nowMs = store.clock.nowMs();
  await store.transaction(async (em) => {
    await em.nativeDelete(SignInCode, { expiresAtMs: { $lte: nowMs } });
    em.create(SignInCode, { id: randomUUID(), codeHash: hashOf(code), expiresAtMs: nowMs + codeLengthMs });
  });
  return { code, expiresInSeconds: codeLengthMs / 1000 };
}

export interface NewSession {
  readonly token: string;
  readonly expiresInSeconds: number;
}

/** Turns a code into a session. @throws CloudletError `unauthenticated` when the code was used, is too old, or never was */
export async function createSession(store: Store, code: string): Promise<NewSession> {
  const token = sessionTokenPrefix + randomBytes(24).toString('base64url');
  const nowMs = store.clock.nowMs();
  await store.transaction(async (em) => {
    const used = await em.nativeDelete(SignInCode, { codeHash: hashOf(code), expiresAtMs: { $gt: nowMs } });
    if (used === 0) {
      throw new CloudletError('unauthenticated', 'This sign-in link was used already or is too old. `cloudlet sign-in` prints a new one.');
    }
    await em.nativeDelete(Session, { expiresAtMs: { $lte: nowMs } });
    em.create(Session, {
      id: randomUUID(),
      tokenHash: hashOf(token),
      principal: 'manager',
      expiresAtMs: nowMs + sessionLengthMs,
      createdAt: new Date(),
    });
  });
  return { token, expiresInSeconds: sessionLengthMs / 1000 };
}

export async function findSession(store: Store, token: string): Promise<{ principal: string } | undefined> {
  const session = await store.fork().findOne(Session, { tokenHash: hashOf(token), expiresAtMs: { $gt: store.clock.nowMs() } });
  return session ? { principal: session.principal } : undefined;
}

/** Signs out. Fine when the session is over. */
export async function endSession(store: Store, token: string): Promise<void> {
  await store.fork().nativeDelete(Session, { tokenHash: hashOf(token) });
}
