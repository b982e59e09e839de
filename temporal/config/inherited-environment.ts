/** What any program may need to know of its surroundings; nothing of ours, and no secrets of others. */
const names = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'TZ',
  'TERM',
  'TMPDIR',
  'NODE_EXTRA_CA_CERTS',
  'NODE_COMPILE_CACHE',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
];
const prefixes = ['LC_', 'XDG_', 'PIP_', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

/** @returns the part of this process's environment that children get beside their explicit one */
export function inheritedEnvironment(environment: Readonly<Record<string, string | undefined>> = process.env): Record<string, string> {
  const kept = Object.entries(environment).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (names.includes(entry[0]) || prefixes.some((prefix) => entry[0].startsWith(prefix))),
  );
  return Object.fromEntries(kept);
}
