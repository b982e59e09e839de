import { askApi } from '../../../../../lib/session/ask-api.ts';

/** The whole serial log, as it is. */
export async function GET(_request: Request, { params }: { params: Promise<{ id: string }> }): Promise<Response> {
  const { id } = await params;
  const log = await askApi((api) => api.serviceVmLog(id));
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };
  return log.ok ? new Response(log.value, { headers }) : new Response(`${log.problem.detail}\n`, { status: log.problem.status, headers });
}
