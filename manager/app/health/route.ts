/** Whether this server answers, for whoever supervises it and for pages that lost it. */
export function GET(): Response {
  return new Response('ok\n', { headers: { 'content-type': 'text/plain', 'cache-control': 'no-store' } });
}
