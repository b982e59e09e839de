import { Client, Connection } from '@temporalio/client';
import { searchAttributes } from '../local/start-temporal.ts';

export interface TemporalTarget {
  readonly address: string;
  readonly namespace: string;
}

/** The client of this cloudlet's namespace. Connects when it is first used, and again whenever it must. */
export function connectTemporal({ address, namespace }: TemporalTarget): Client {
  return new Client({ connection: Connection.lazy({ address }), namespace });
}

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
