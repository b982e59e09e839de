const hidden = '***';
const secretName = /pass|secret|token/i;

/** @returns the URL without its passwords: the one after the user's name, and those in its query */
export function maskSecrets(url: string): string {
  if (!URL.canParse(url)) return `(hidden, ${url.length} characters)`;
  const parsed = new URL(url);
  if (parsed.password !== '') parsed.password = hidden;
  for (const name of new Set(parsed.searchParams.keys())) {
    if (secretName.test(name)) parsed.searchParams.set(name, hidden);
  }
  return parsed.href;
}

/** @returns the value with every text under a key that names a secret masked, however deep it lies */
export function maskSecretKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskSecretKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, secretName.test(key) ? hidden : maskSecretKeys(inner)]));
}
