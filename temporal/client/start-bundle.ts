import type { Client } from '@temporalio/client';
import { admitExport } from '../../activities/store/bundles.ts';
import type { Idempotency } from '../../activities/store/idempotency.ts';
import { admitImport } from '../../activities/store/imports.ts';
import { recordFailure } from '../../activities/store/operations.ts';
import type { Store } from '../../activities/store/store.ts';
import type { ExportInput, ImportInput } from '../../workflows/contract/bundle.ts';
import { describeFailure } from '../../workflows/contract/failure.ts';
import { asCloudletError } from './service-vm-starter.ts';
import { startOnceClosed } from './start-operation.ts';

interface Asked {
  /** `principalName` of who asked. */
  readonly principal: string;
  readonly idempotency?: Idempotency;
}

/** Begins the import of a bundle. */
export async function startImport(
  store: Store,
  client: Client,
  { source, choices, ...asked }: Omit<ImportInput, 'operationId'> & Asked,
): Promise<{ operationId: string }> {
  const subject = choices.serviceId ?? (source.kind === 'file' ? source.file : source.uploadId);
  const { operationId, workflowId, repeated } = await admitImport(store, { subject, ...asked });
  const input: ImportInput = { operationId, source, choices };
  if (!repeated) {
    await startOnceClosed(client, 'importService', {
      workflowId,
      args: [input],
      staticSummary: `import of ${subject}`,
      searchAttributes: { CloudletService: [subject], CloudletOperation: ['service.import'] },
    }).catch(failed(store, operationId));
  }
  return { operationId };
}

/**
 * Begins the export of a service.
 * @throws CloudletError `not-found`, `state-conflict` where it has no image yet
 */
export async function startExport(
  store: Store,
  client: Client,
  { serviceId, compression, ...asked }: Pick<ExportInput, 'serviceId' | 'compression'> & Asked,
): Promise<{ operationId: string }> {
  const { operationId, workflowId, repeated } = await admitExport(store, { serviceId, ...asked });
  const input: ExportInput = { operationId, serviceId, compression };
  if (!repeated) {
    await startOnceClosed(client, 'exportService', {
      workflowId,
      args: [input],
      staticSummary: `export of ${serviceId}`,
      searchAttributes: { CloudletService: [serviceId], CloudletOperation: ['service.export'] },
    }).catch(failed(store, operationId));
  }
  return { operationId };
}

const failed = (store: Store, operationId: string) => async (error: unknown) => {
  const known = asCloudletError(error);
  await recordFailure(store, operationId, describeFailure(known));
  throw known;
};
