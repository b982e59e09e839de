import type { NextRequest } from 'next/server';
import { eventStream } from '../../lib/live/event-stream.ts';
import { watchCloudlet } from '../../lib/live/watch-cloudlet.ts';
import { sessionApi } from '../../lib/session/ask-api.ts';

/** What happens on the cloudlet, for as long as a page is open. `after` is the last event that the page knows. */
export async function GET(request: NextRequest): Promise<Response> {
  const api = await sessionApi();
  if (!api) return new Response('Sign in first.\n', { status: 401 });
  const given = request.headers.get('last-event-id') ?? request.nextUrl.searchParams.get('after') ?? '';
  const after = /^\d{1,15}$/.test(given) ? given : undefined;
  return eventStream((signal) => watchCloudlet(api, { after, signal }));
}
