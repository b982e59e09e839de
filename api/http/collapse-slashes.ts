/** `/api//services?a=//b` as `/api/services?a=//b`: the path only. */
export function collapseSlashes(url: string): string {
  if (!url.includes('//')) return url;
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  return path.replace(/\/{2,}/g, '/') + (query < 0 ? '' : url.slice(query));
}
