import 'server-only';
import { cookies } from 'next/headers';
import { isTheme, themeCookieName, type Theme } from './theme.ts';

/** What the person chose before, in this browser. */
export async function readTheme(): Promise<Theme> {
  const chosen = (await cookies()).get(themeCookieName)?.value;
  return isTheme(chosen) ? chosen : 'system';
}
