import 'server-only';
import { cookies } from 'next/headers';
import { managerConfig } from '../config.ts';

/** Browsers keep cookies of all ports of a host together, so the port is part of the name. */
const sessionCookieName = `cloudlet-manager-${managerConfig.port}`;

export async function readSessionToken(): Promise<string | undefined> {
  return (await cookies()).get(sessionCookieName)?.value;
}

export async function keepSessionToken(token: string, expiresInSeconds: number): Promise<void> {
  (await cookies()).set(sessionCookieName, token, { httpOnly: true, sameSite: 'strict', path: '/', maxAge: expiresInSeconds });
}

export async function forgetSessionToken(): Promise<void> {
  (await cookies()).delete(sessionCookieName);
}
