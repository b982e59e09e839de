import 'server-only';
import { redirect } from 'next/navigation';
import { ApiError, type ShownProblem } from '../api/api-error.ts';
import { CloudletApi } from '../api/cloudlet-api.ts';
import { managerConfig } from '../config.ts';
import { readSessionToken } from './session-cookie.ts';
import { sessionEndedPath, signInPath } from './sign-in-path.ts';

export type Outcome<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly problem: ShownProblem };

/** The API as the signed-in admin, or undefined where nobody is signed in. */
export async function sessionApi(): Promise<CloudletApi | undefined> {
  const token = await readSessionToken();
  return token === undefined ? undefined : new CloudletApi({ baseUrl: managerConfig.apiUrl, token });
}

/**
 * The one way in which pages and actions reach the API: as whoever is signed in. Nobody, or a session that is over,
 * is sent to the sign-in page.
 * @returns what was asked for, or the problem to show
 */
export async function askApi<Value>(ask: (api: CloudletApi) => Promise<Value>): Promise<Outcome<Value>> {
  const api = await sessionApi();
  if (!api) redirect(signInPath);
  try {
    return { ok: true, value: await ask(api) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.signedOut) redirect(sessionEndedPath);
    return { ok: false, problem: error.problem };
  }
}
