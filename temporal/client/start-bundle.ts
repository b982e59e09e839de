import type { Client } from '@temporalio/client';
import { admitExport } from '../../activities/store/bundles.ts';
import type { Idempotency } from '../../activities/store/idempotency.ts';
import { admitImport } from '../../activities/store/imports.ts';
import type { Store } from '../../activities/store/store.ts';
import type { ExportInput, ImportInput } from '../../workflows/contract/bundle.ts';
import { startOperation } from './start-operation.ts';

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
  const admitted = await admitImport(store, { subject, ...asked });
  const { operationId } = admitted;
  const input: ImportInput = { operationId, source, choices };
  await startOperation(store, client, admitted, {
    type: 'importService',
    input,
    staticSummary: `import of ${subject}`,
    searchAttributes: { CloudletService: [subject], CloudletOperation: ['service.import'] },
  });
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
  const admitted = await admitExport(store, { serviceId, ...asked });
  const { operationId } = admitted;
  const input: ExportInput = { operationId, serviceId, compression };
  await startOperation(store, client, admitted, {
    type: 'exportService',
    input,
    staticSummary: `export of ${serviceId}`,
    searchAttributes: { CloudletService: [serviceId], CloudletOperation: ['service.export'] },
  });
  return { operationId };
}
