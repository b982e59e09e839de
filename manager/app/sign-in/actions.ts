'use server';

import { redirect } from 'next/navigation';
import { ApiError, type ShownProblem } from '../../lib/api/api-error.ts';
import { CloudletApi } from '../../lib/api/cloudlet-api.ts';
import { managerConfig } from '../../lib/config.ts';
import { sessionApi } from '../../lib/session/ask-api.ts';
import { forgetSessionToken, keepSessionToken } from '../../lib/session/session-cookie.ts';
import { signInPath } from '../../lib/session/sign-in-path.ts';

/** Spends a sign-in code. @returns why that did not work; nothing when it did, for the browser is elsewhere then */
export async function signIn(_before: ShownProblem | null, form: FormData): Promise<ShownProblem> {
  const code = form.get('code');
  try {
    const session = await new CloudletApi({ baseUrl: managerConfig.apiUrl }).createSession(typeof code === 'string' ? code : '');
    await keepSessionToken(session.token, session.expiresInSeconds);
  } catch (error) {
    if (error instanceof ApiError) return error.problem;
    throw error;
  }
  redirect('/');
}

export async function signOut(): Promise<void> {
  const api = await sessionApi();
  // A session that cannot be ended now ends by itself; the browser forgets it in any case.
  await api?.endSession().catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
  });
  await forgetSessionToken();
  redirect(signInPath);
}
