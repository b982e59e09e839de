import 'server-only';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Progress } from '../../../workflows/contract/operation.ts';
import { ApiError } from '../api/api-error.ts';
import type { CloudletEvent } from '../api/bodies.ts';
import type { CloudletApi } from '../api/cloudlet-api.ts';
import { nameOperations } from '../api/service-names.ts';
import type { LiveMessage, Numbered } from './live-message.ts';

const retryAfterMs = 1_000;

/**
 * Everything that happens on the cloudlet, and whether its API can be reached, until the signal says stop. Goes on
 * where it was when the API comes back.
 */
export async function* watchCloudlet(
  api: CloudletApi,
  { after, signal }: { after?: string | undefined; signal: AbortSignal },
): AsyncGenerator<Numbered<LiveMessage>> {
  let last = after;
  while (!signal.aborted) {
    try {
      // The event stream itself may answer only with its first event.
      await api.operations({ limit: 1 });
      yield { message: { kind: 'connection', state: 'live' } };
      for await (const event of api.events({ after: last, signal })) {
        last = event.id;
        yield { id: event.id, message: await messageOf(api, event) };
      }
    } catch (error) {
      if (error instanceof ApiError && error.signedOut) {
        yield { message: { kind: 'signed-out' } };
        return;
      }
    }
    if (signal.aborted) return;
    yield { message: { kind: 'connection', state: 'lost' } };
    await sleep(retryAfterMs, undefined, { signal }).catch(() => undefined);
  }
}

async function messageOf(api: CloudletApi, { type, data }: CloudletEvent): Promise<LiveMessage> {
  const { operationId } = data;
  if (!type.startsWith('operation.') || typeof operationId !== 'string') return { kind: 'change' };
  if (type === 'operation.progress') return { kind: 'progress', operationId, progress: data as unknown as Progress };
  const [operation] = await nameOperations(api, [await api.operation(operationId)]);
  if (!operation || operation.state === 'running') return { kind: 'change' };
  const { kind, state, name, principal, problem } = operation;
  return {
    kind: 'outcome',
    operationId,
    operation: kind,
    state,
    name,
    byAdmin: principal?.startsWith('admin:') === true,
    ...(problem ? { detail: problem.detail } : {}),
  };
}
