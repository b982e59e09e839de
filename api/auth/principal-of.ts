import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { findLease, type HeldLease } from '../../activities/store/leases.ts';
import { verifyLeaseToken } from '../../activities/store/lease-token.ts';
import { findSession, sessionTokenPrefix } from '../../activities/store/sessions.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { Principal } from '../../workflows/contract/principal.ts';
import type { ApiContext } from '../context.ts';

/** Who asks, and the lease that the request proves, if it carries a lease's token. */
export interface Caller {
  readonly principal: Principal;
  readonly lease?: HeldLease;
}

/** Long enough for every device there is; a longer one is a mistake or an attack. */
const maximumDeviceIdLength = 128;

/**
 * Reads who asks from a request: an admin or a session by its bearer token, a device by `X-Device-ID`, anybody else by
 * where the request comes from.
 * @throws CloudletError `unauthenticated` for a token that is not (or no longer) valid
 */
export async function callerOf(context: ApiContext, request: FastifyRequest): Promise<Caller> {
  const principal = deviceOrAddress(request);
  const token = bearerToken(request);
  if (token === undefined) return { principal };
  if (sameSecret(token, context.adminToken)) return { principal: { kind: 'token', role: 'admin', name: 'admin.token' } };
  const leaseId = verifyLeaseToken(context.identity.tokenKey, token);
  if (leaseId !== undefined) {
    const lease = await findLease(context.store, leaseId);
    if (lease) return { principal, lease };
    throw new CloudletError('unauthenticated', 'This lease has ended. Start or join the service again to get another.');
  }
  if (token.startsWith(sessionTokenPrefix)) {
    const session = await findSession(context.store, token);
    if (session) return { principal: { kind: 'token', role: 'admin', name: session.principal } };
    throw new CloudletError('unauthenticated', 'This session has ended. Sign in again: `cloudlet sign-in` prints a link.');
  }
  throw new CloudletError('unauthenticated', 'The bearer token is not one that this cloudlet gave.');
}

export function deviceOrAddress(request: FastifyRequest): Principal {
  const header = request.headers['x-device-id'];
  const deviceId = typeof header === 'string' ? header.trim() : '';
  if (deviceId === '') return { kind: 'anonymous', address: request.ip };
  if (deviceId.length > maximumDeviceIdLength || !/^[\x21-\x7e]+$/.test(deviceId)) {
    throw new CloudletError(
      'invalid-input',
      `X-Device-ID must be 1 to ${maximumDeviceIdLength} printable ASCII characters without spaces.`,
      {
        errors: [{ pointer: '/headers/x-device-id', message: 'is too long or has other characters' }],
      },
    );
  }
  return { kind: 'device', deviceId, address: request.ip };
}

function bearerToken({ headers }: FastifyRequest): string | undefined {
  const match = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(headers.authorization ?? '');
  if (match) return match[1];
  if (headers.authorization !== undefined) {
    throw new CloudletError('unauthenticated', 'Authorization must read `Bearer TOKEN`.');
  }
  return undefined;
}

/** Compares without telling by its duration how much was right. */
function sameSecret(given: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}
