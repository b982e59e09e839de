import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildInput, ImageActivities, PreparedDisk } from '../../workflows/contract/activities.ts';
import type { ImageSettings } from '../../workflows/contract/image-settings.ts';
import type { AssembledDisk, AssembleLog, CatalogueService } from '../../workflows/contract/catalogue.ts';
import { CloudletError, type ErrorCode } from '../../workflows/contract/errors.ts';
import type { ImageSource } from '../../workflows/contract/image-source.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { diskOfService, recordImage } from '../store/images.ts';
import type { Store } from '../store/store.ts';
import { convertDisk, inspectDisk } from './inspect-disk.ts';
import { claimUpload } from '../store/uploads.ts';
import { tellProgress } from '../tell-progress.ts';
import { dropClaims, endClaims } from '../uploads/end-claims.ts';
import { preparationFolder, uploadPath, type HostPaths } from './host-paths.ts';
import { adoptImage } from './image-store.ts';
import { diskOfOva } from './disk-of-ova.ts';
import { assembleContainerDisk } from './oci/assemble-container-disk.ts';
import { findPair, readPairState } from './pycloud-pair.ts';
import { packRecipe } from './recipe/recipe-payload.ts';

export interface ImageContext {
  readonly hostId: string;
  readonly paths: HostPaths;
  readonly store: Store;
  readonly catalogue: (serviceId: string) => CatalogueService | undefined;
  readonly log: AssembleLog;
}

/** The activities that make images. Each works in a folder named after its operation, and starts it anew when repeated. */
export function createImageActivities({ hostId, paths, store, catalogue, log }: ImageContext): ImageActivities {
  const workFolder = (operationId: string) => preparationFolder(paths, operationId);

  /** @returns a disk in the work folder, in whatever format */
  const rawDisk = async (
    {
      operationId,
      source,
      packages,
      spec,
    }: Pick<BuildInput, 'operationId' | 'spec'> & { readonly source: Assembled; readonly packages: readonly string[] },
    folder: string,
    signal: AbortSignal,
    progress: (percent: number, message: string) => void,
  ): Promise<AssembledDisk & ImageSettings & Pick<PreparedDisk, 'notes'>> => {
    const uploaded = async (uploadId: string): Promise<string> => {
      const { id } = await store.transaction((em) => claimUpload(em, uploadId, operationId));
      return uploadPath(paths, id);
    };
    if (packages.length > 0 && source.kind !== 'catalogue') throw onlyInCatalogue();
    if (source.kind === 'upload' || source.kind === 'disk') {
      const file = source.kind === 'upload' ? await uploaded(source.uploadId) : join(paths.imports, source.file);
      return source.format === 'ova' ? diskOfOva(file, folder, signal, progress) : { diskPath: file, format: source.format };
    }
    if (source.kind === 'pair') {
      const pair = await findPair(join(paths.imports, source.folder));
      const { machine, note } = await readPairState(pair);
      return { diskPath: pair.diskPath, format: 'qcow2', machine, notes: [note] };
    }
    const context = { workDirectory: join(folder, 'assemble'), cacheDirectory: paths.cache, signal, log, progress };
    await mkdir(context.workDirectory, { recursive: true });
    await mkdir(paths.cache, { recursive: true });
    if (source.kind === 'container') {
      const path = 'file' in source ? join(paths.imports, source.file) : await uploaded(source.uploadId);
      return assembleContainerDisk({ ...source, path, spec }, context);
    }
    const entry = catalogue(source.serviceId);
    if (!entry) throw new CloudletError('not-found', `No plugin of this host brings a service "${source.serviceId}".`);
    return entry.assemble({ ...context, packages });
  };

  return {
    prepareDisk: ({ operationId, source, spec, progress: reported }) =>
      withHeartbeat(async (signal, heartbeat) => {
        const folder = workFolder(operationId);
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder, { recursive: true });
        const recipe = source.kind === 'recipe' ? source : undefined;
        const base = source.kind === 'recipe' ? source.base : source;
        const packages = recipe?.packages ?? [];
        if (recipe) await packRecipe(paths, operationId, recipe, signal);
        if (base.kind === 'service') {
          if (packages.length > 0) throw onlyInCatalogue();
          return { diskId: await diskOfService(store, base) };
        }
        const progress = tellProgress(store, reported, heartbeat);
        const { given, virtualSizeBytes } = await inspected(
          () => rawDisk({ operationId, source: base, packages, spec }, folder, signal, progress),
          signal,
        ).catch(async (error: unknown) => {
          if (error instanceof CloudletError && refusals.has(error.code)) await dropClaims(store, paths, operationId);
          throw error;
        });
        const disk = await asOwnQcow2(base, given, folder, signal, progress);
        progress(95, 'Storing the disk');
        const stored = await adoptImage(paths, disk, { signal });
        const image = await recordImage(store, hostId, { ...stored, kind: 'disk', virtualSizeBytes, backingId: null });
        return { diskId: image.id, ...saidOf(given) };
      }),

    discardPreparation: async ({ operationId }) => {
      await endClaims(store, paths, operationId);
      await rm(workFolder(operationId), { recursive: true, force: true });
    },
  };
}

/** What is told of a disk besides what it is. */
const saidOf = ({ ports, machine, notes }: Omit<PreparedDisk, 'diskId'>): Omit<PreparedDisk, 'diskId'> => ({
  ...(ports ? { ports } : {}),
  ...(machine ? { machine } : {}),
  ...(notes ? { notes } : {}),
});

/** Of what was uploaded itself, which is kept for no other build then. */
const refusals: ReadonlySet<ErrorCode> = new Set(['unsafe-image', 'unprocessable-bundle', 'checksum-mismatch']);

async function inspected<Disk extends AssembledDisk>(make: () => Promise<Disk>, signal: AbortSignal) {
  const given = await make();
  return { given, ...(await inspectDisk(given.diskPath, given.format, signal)) };
}

const onlyInCatalogue = (): CloudletError =>
  new CloudletError(
    'invalid-input',
    'Packages can be put into a base of the catalogue only. For another base, bring them as files and install them by a command.',
  );

/** Sources that a disk has to be made of first. */
type Assembled = Exclude<ImageSource, { kind: 'service' | 'recipe' }>;

/** A stranger's disk is copied block by block into one of our own making; what was assembled here is that already. */
async function asOwnQcow2(
  source: Assembled,
  given: AssembledDisk,
  folder: string,
  signal: AbortSignal,
  progress: (percent: number, message: string) => void,
): Promise<string> {
  if ((source.kind === 'catalogue' || source.kind === 'container') && given.format === 'qcow2') return given.diskPath;
  progress(50, 'Converting the disk');
  const disk = join(folder, 'disk.qcow2');
  await convertDisk(given.diskPath, given.format, disk, signal);
  // What was unpacked for it, of an OVA for one, need not take room beside it.
  if (given.diskPath.startsWith(`${folder}/`)) await rm(given.diskPath);
  return disk;
}
