import type { ApiClient } from '../../temporal/cli/api-client.ts';
import { watchOperation } from '../../temporal/cli/watch-operation.ts';
import type { OperationBody } from '../../workflows/contract/http.ts';

/** Begins an operation and waits until it has succeeded. @returns its result */
export async function operationResult(admin: ApiClient, path: string, body: object): Promise<OperationBody['result']> {
  const { operationId } = await admin.request<{ operationId: string }>('POST', path, body);
  return (await watchOperation(admin, operationId, { json: false, quiet: true })).result;
}
