/**
 * The path and query that a request means: without scheme and host, where a client sent them as to a proxy (RFC 9112
 * §3.2.2), and with `/api//services?a=//b` as `/api/services?a=//b`, since stock clients double slashes.
 */
export function normalizeUrl(url: string): string {
  const relative = url.replace(/^https?:\/\/[^/?#]*\/?/i, '/');
  const query = relative.indexOf('?');
  const path = query < 0 ? relative : relative.slice(0, query);
  return path.replaceAll(/\/{2,}/g, '/') + (query < 0 ? '' : relative.slice(query));
}
