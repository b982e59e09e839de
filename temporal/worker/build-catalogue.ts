import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { findService, isTrashed } from '../../activities/store/services.ts';
import type { Store } from '../../activities/store/store.ts';
import type { CatalogueService } from '../../workflows/contract/catalogue.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { startBuild } from '../client/start-build.ts';

export interface CatalogueBuilds {
  readonly store: Store;
  readonly client: Client;
  readonly catalogue: readonly CatalogueService[];
  readonly log: Logger;
}

/** Begins to build the services that plugins bring and this cloudlet does not have yet, or has in another version; not those in its trash. */
export async function buildCatalogue({ store, client, catalogue, log }: CatalogueBuilds): Promise<void> {
  for (const { spec, base = false } of catalogue) {
    if (base) continue;
    const known = await findService(store, spec.serviceId);
    if ((known?.image && known.spec.version === spec.version) || (await isTrashed(store, spec.serviceId))) continue;
    try {
      const source = { kind: 'catalogue', serviceId: spec.serviceId } as const;
      const { operationId } = await startBuild(store, client, { spec, source, save: true, principal: 'system' });
      log.info({ serviceId: spec.serviceId, operationId }, 'Building a service of the catalogue');
    } catch (error) {
      if (!(error instanceof CloudletError && error.code === 'operation-in-progress')) throw error;
    }
  }
}
