import { rm } from 'node:fs/promises';
import { uploadPath, type HostPaths } from '../images/host-paths.ts';
import { findOperation } from '../store/operations.ts';
import { forgetUpload, releaseUploads, uploadsOf } from '../store/uploads.ts';
import type { Store } from '../store/store.ts';

/**
 * Ends what an operation had of uploads: used up where it succeeded, for others to take where it did not, so that a
 * file which was good is not sent again. Repeating it changes nothing.
 */
export async function endClaims(store: Store, paths: Pick<HostPaths, 'uploads'>, operationId: string): Promise<void> {
  const operation = await findOperation(store, operationId);
  if (operation?.state === 'succeeded') await dropClaims(store, paths, operationId);
  else await releaseUploads(store, operationId);
}

/** Removes what an operation had of uploads: they are used up, or were found to be no good. */
export async function dropClaims(store: Store, paths: Pick<HostPaths, 'uploads'>, operationId: string): Promise<void> {
  for (const id of await uploadsOf(store, operationId)) {
    await rm(uploadPath(paths, id), { force: true });
    await forgetUpload(store, id);
  }
}
