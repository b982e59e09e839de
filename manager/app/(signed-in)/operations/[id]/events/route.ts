import type { NextRequest } from 'next/server';
import { eventStream } from '../../../../../lib/live/event-stream.ts';
import { watchOperation } from '../../../../../lib/live/watch-operation.ts';
import { sessionApi } from '../../../../../lib/session/ask-api.ts';

/** What one operation has gone through, and goes through while the page is open. */
export async function GET(request: NextRequest, { params }: { params: Promise<{ id: string }> }): Promise<Response> {
  const api = await sessionApi();
  if (!api) return new Response('Sign in first.\n', { status: 401 });
  const given = request.headers.get('last-event-id') ?? '';
  const after = /^\d{1,15}$/.test(given) ? given : undefined;
  const { id } = await params;
  return eventStream((signal) => watchOperation(api, id, { after, signal }));
}
