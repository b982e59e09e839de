import { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import { searchAttributes } from '../local/start-temporal.ts';
import { withDeadlines } from './call-deadlines.ts';

export interface TemporalTarget {
  readonly address: string;
  readonly namespace: string;
}

/** Tries of one call; with the pauses between them about ten seconds, in which an embedded server has restarted. */
const maxAttempts = 8;
/** gRPC would try to reconnect ever less often, after minutes only every other minute. */
const reconnectMs = { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 2_000 };

/**
 * The client of this cloudlet's namespace. Connects when it is first used, and again whenever it must. No call hangs
 * when nobody answers.
 */
export function connectTemporal({ address, namespace }: TemporalTarget): Client {
  const connection = Connection.lazy({
    address,
    connectTimeout: connectTimeoutMs,
    channelArgs: reconnectMs,
    interceptors: [withDeadlines, makeGrpcRetryInterceptor(defaultGrpcRetryOptions({ maxAttempts }))],
  });
  return new Client({ connection, namespace });
}

const connectTimeoutMs = 5_000;

const keyword = 2;
const retentionSeconds = 30 * 24 * 60 * 60;
const alreadyThere = 6;

/**
 * Sees to it that the namespace is there and knows our search attributes. The embedded server is started with both; on
 * a cluster of one's own this is what sets it up, where the cluster lets us.
 */
export async function prepareNamespace(client: Client, namespace: string): Promise<void> {
  const { workflowService, operatorService } = client.connection as Connection;
  await workflowService
    .registerNamespace({ namespace, workflowExecutionRetentionPeriod: { seconds: retentionSeconds as never } })
    .catch(ignoreExisting);
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const missing = Object.keys(searchAttributes).filter((name) => customAttributes?.[name] === undefined);
  if (missing.length === 0) return;
  await operatorService
    .addSearchAttributes({ namespace, searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])) })
    .catch(ignoreExisting);
}

function ignoreExisting(error: unknown): void {
  if ((error as { code?: unknown }).code !== alreadyThere) throw error;
}
