import type { OperationBody } from '../../workflows/contract/http.ts';
import type { ApiClient } from './api-client.ts';
import { watchOperation, type WatchOptions } from './watch-operation.ts';

/** One Ctrl-C reaches us twice under npm: from the terminal, and passed on by npm. */
const echoMs = 500;

/** Something that `/v1` answers with an operation. */
export interface OperationRequest {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: object;
}

/**
 * Begins an operation and shows how it goes on until it has ended, or has come far enough. Ctrl-C asks it to end, and waits
 * until what it did is undone; a second one leaves it to itself.
 * @param watch how to watch it, when the usual way will not do
 * @throws CloudletError what it failed of; `cancelled` after a Ctrl-C
 */
export async function runOperation(
  api: ApiClient,
  { method, path, body }: OperationRequest,
  options: WatchOptions,
  watch: typeof watchOperation = watchOperation,
): Promise<OperationBody> {
  const { operationId } = await api.request<{ operationId: string }>(method, path, body);
  let askedAt = 0;
  const onInterrupt = (): void => {
    if (askedAt === 0) {
      askedAt = performance.now();
      process.stderr.write('\nEnding it, and undoing what it did. A second Ctrl-C leaves it to itself.\n');
      // It may have ended at this very moment, and then there is nothing to ask for.
      api.request('POST', `/v1/operations/${operationId}/cancel`).catch(() => undefined);
    } else if (performance.now() - askedAt > echoMs) {
      process.stderr.write(`\nIt goes on by itself: cloudlet operation watch ${operationId}\n`);
      process.exit(130);
    }
  };
  process.on('SIGINT', onInterrupt);
  try {
    return await watch(api, operationId, options);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}
