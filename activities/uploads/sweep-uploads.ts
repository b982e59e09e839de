import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AssembleLog } from '../../workflows/contract/catalogue.ts';
import { msPerMinute } from '../../workflows/contract/units.ts';
import type { HostPaths } from '../images/host-paths.ts';
import { releaseLostUploads, allUploads } from '../store/uploads.ts';
import type { Store } from '../store/store.ts';
import { uploadExpiryMs, type UploadFiles } from './upload-files.ts';

const sweepEveryMs = 10 * msPerMinute;

export interface Tidying {
  readonly store: Store;
  readonly paths: Pick<HostPaths, 'uploads'>;
  readonly files: UploadFiles;
  readonly log: AssembleLog;
}

/** Sweeps until the signal says stop; a round that fails does not end it. */
export async function keepUploadsTidy(tidying: Tidying, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sweepUploads(tidying).catch((error: unknown) => tidying.log.warn({ error }, 'The uploads could not be tidied up; trying again'));
    await sleep(sweepEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * Tidies up what no request will: verifies uploads whose last byte came just before a crash, releases those whose
 * operation is over, and removes what expired.
 * @returns how many uploads and stray files went
 */
export async function sweepUploads({ store, paths, files }: Omit<Tidying, 'log'>): Promise<number> {
  await releaseLostUploads(store);
  const before = await readdir(paths.uploads).catch(() => []);
  const uploads = await allUploads(store);
  const known = new Set(uploads.map(({ id }) => id));
  const strays = before.filter((name) => !known.has(name));
  for (const name of strays) await rm(join(paths.uploads, name), { recursive: true, force: true });
  let removed = strays.length;
  for (const { id, operationId, touchedAtMs } of uploads) {
    if (operationId === null && store.clock.nowMs() - touchedAtMs > uploadExpiryMs) {
      await files.remove(id);
      removed += 1;
    } else {
      // Whose bytes are wrong is removed by it.
      await files.finish(id).catch(() => undefined);
    }
  }
  return removed;
}
