const hidden = '***';

/** @returns the URL without its passwords: the one after the user's name, and those in its query */
export function maskSecrets(url: string): string {
  if (!URL.canParse(url)) return `(hidden, ${url.length} characters)`;
  const parsed = new URL(url);
  if (parsed.password !== '') parsed.password = hidden;
  for (const name of new Set(parsed.searchParams.keys())) {
    if (/pass|secret|token/i.test(name)) parsed.searchParams.set(name, hidden);
  }
  return parsed.href;
}
