import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageActivities } from '../../workflows/contract/activities.ts';
import type { AssembledDisk, AssembleLog, CatalogueService } from '../../workflows/contract/catalogue.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { ImageSource } from '../../workflows/contract/image-source.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { diskOfService, recordImage } from '../store/images.ts';
import type { OperationProgress } from '../../workflows/contract/operation.ts';
import { recordProgress } from '../store/operations.ts';
import type { Store } from '../store/store.ts';
import { convertDisk, inspectDisk } from './inspect-disk.ts';
import { claimUpload } from '../store/uploads.ts';
import { dropClaims, endClaims } from '../uploads/end-claims.ts';
import { uploadPath, type HostPaths } from './host-paths.ts';
import { adoptImage } from './image-store.ts';

export interface ImageContext {
  readonly hostId: string;
  readonly paths: HostPaths;
  readonly store: Store;
  readonly catalogue: (serviceId: string) => CatalogueService | undefined;
  readonly log: AssembleLog;
}

/** The activities that make images. Each works in a folder named after its operation, and starts it anew when repeated. */
export function createImageActivities({ hostId, paths, store, catalogue, log }: ImageContext): ImageActivities {
  const workFolder = (operationId: string) => join(paths.incoming, operationId);

  /** @returns a disk in the work folder, in whatever format */
  const rawDisk = async (
    source: Exclude<ImageSource, { kind: 'service' }>,
    operationId: string,
    folder: string,
    signal: AbortSignal,
    progress: (percent: number, message: string) => void,
  ): Promise<AssembledDisk> => {
    if (source.kind === 'upload') {
      const { id } = await store.transaction((em) => claimUpload(em, source.uploadId, operationId));
      return { diskPath: uploadPath(paths, id), format: source.format };
    }
    if (source.kind === 'disk') return { diskPath: join(paths.imports, source.file), format: source.format };
    const entry = catalogue(source.serviceId);
    if (!entry) throw new CloudletError('not-found', `No plugin of this host brings a service "${source.serviceId}".`);
    const workDirectory = join(folder, 'assemble');
    await mkdir(workDirectory, { recursive: true });
    await mkdir(paths.cache, { recursive: true });
    return entry.assemble({ workDirectory, cacheDirectory: paths.cache, signal, log, progress });
  };

  return {
    prepareDisk: ({ operationId, source, progress: reported }) =>
      withHeartbeat(async (signal, heartbeat) => {
        if (source.kind === 'service') return { diskId: await diskOfService(store, source) };
        const folder = workFolder(operationId);
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder, { recursive: true });
        const progress = tell(store, reported, heartbeat);
        const given = await rawDisk(source, operationId, folder, signal, progress);
        const { virtualSizeBytes } = await inspectDisk(given.diskPath, given.format, signal).catch(async (error: unknown) => {
          if (error instanceof CloudletError && error.code === 'unsafe-image') await dropClaims(store, paths, operationId);
          throw error;
        });
        const disk = await asOwnQcow2(source, given, folder, signal, progress);
        progress(95, 'Storing the disk');
        const stored = await adoptImage(paths, disk, { signal });
        const image = await recordImage(store, hostId, { ...stored, kind: 'disk', virtualSizeBytes, backingId: null });
        return { diskId: image.id };
      }),

    discardPreparation: async ({ operationId }) => {
      await endClaims(store, paths, operationId);
      await rm(workFolder(operationId), { recursive: true, force: true });
    },
  };
}

/** A stranger's disk is copied block by block into one of our own making; what our plugins assembled is that already. */
async function asOwnQcow2(
  source: ImageSource,
  given: AssembledDisk,
  folder: string,
  signal: AbortSignal,
  progress: (percent: number, message: string) => void,
): Promise<string> {
  if (source.kind === 'catalogue' && given.format === 'qcow2') return given.diskPath;
  progress(50, 'Converting the disk');
  const disk = join(folder, 'disk.qcow2');
  await convertDisk(given.diskPath, given.format, disk, signal);
  return disk;
}

const tellEveryMs = 500;

/** Tells how far the work is: in the heartbeat at once, to those who watch the operation now and then. */
function tell(store: Store, reported: OperationProgress | undefined, heartbeat: (details: unknown) => void) {
  let toldAtMs = 0;
  return (percent: number, message: string): void => {
    heartbeat({ percent, message });
    const nowMs = performance.now();
    if (!reported || nowMs - toldAtMs < tellEveryMs) return;
    toldAtMs = nowMs;
    // Watching must not fail the work; the next report says it all again.
    recordProgress(store, reported.operationId, { ...reported, message, percent }).catch(() => undefined);
  };
}
