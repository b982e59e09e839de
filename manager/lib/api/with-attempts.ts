import 'server-only';
import type { CloudletApi } from './cloudlet-api.ts';
import type { NamedOperation } from './service-names.ts';

/** Asking costs a look into the running workflow, so lists ask for the first few only. */
const askedFor = 10;

/** Adds to operations that run what their steps under way are at; a list alone does not tell. */
export async function withAttempts(api: CloudletApi, operations: readonly NamedOperation[]): Promise<readonly NamedOperation[]> {
  const asked = new Set(operations.filter(({ state }) => state === 'running').slice(0, askedFor));
  return Promise.all(
    operations.map(async (operation) => (asked.has(operation) ? { ...operation, ...(await api.operation(operation.id)) } : operation)),
  );
}
