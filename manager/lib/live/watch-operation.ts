import 'server-only';
import type { OperationState, Progress } from '../../../workflows/contract/operation.ts';
import { ApiError } from '../api/api-error.ts';
import type { CloudletEvent } from '../api/bodies.ts';
import type { CloudletApi } from '../api/cloudlet-api.ts';
import type { Numbered } from './live-message.ts';
import type { TimelineMessage } from './operation-timeline.ts';

const endings: Readonly<Record<string, Exclude<OperationState, 'running'>>> = {
  'operation.succeeded': 'succeeded',
  'operation.failed': 'failed',
  'operation.cancelled': 'cancelled',
};

/** What an operation has gone through and goes through, until it has ended or the API is gone; the page asks again. */
export async function* watchOperation(
  api: CloudletApi,
  id: string,
  query: { after?: string | undefined; signal: AbortSignal },
): AsyncGenerator<Numbered<TimelineMessage>> {
  try {
    for await (const event of api.operationEvents(id, query)) {
      const message = messageOf(event);
      if (message) yield { id: event.id, message };
    }
  } catch (error) {
    if (!(error instanceof ApiError) && !query.signal.aborted) throw error;
  }
}

function messageOf({ type, data }: CloudletEvent): TimelineMessage | undefined {
  const at = String(data['at']);
  if (type === 'operation.progress') return { kind: 'progress', at, progress: data as unknown as Progress };
  const state = endings[type];
  return state && { kind: 'ended', at, state };
}
