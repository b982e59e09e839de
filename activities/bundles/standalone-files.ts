import { constants } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostPaths } from '../images/host-paths.ts';
import { hashFile, imageFile } from '../images/image-store.ts';
import { convertDisk } from '../images/inspect-disk.ts';
import { runTool } from '../run-tool.ts';
import type { InstanceImages, StoredImage } from '../store/images.ts';

/** A file that goes into a bundle as it is. */
export interface StandaloneFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export interface StandaloneFiles {
  /** Needs no other file. */
  readonly disk: StandaloneFile;
  /** The disk of the saved state needs that one, by its SHA-256 as a name. */
  readonly saved: { readonly disk: StandaloneFile; readonly memory: StandaloneFile } | null;
}

/**
 * The images of a service as others can read them. The disk of one that was edited, or built by recipe, is here only a
 * difference to what it was made from; all of it is written into the folder then, as one disk.
 * @throws CloudletError `image-unavailable`, `capacity-exhausted` (disk)
 */
export async function standaloneFiles(
  paths: HostPaths,
  { disk, saved }: InstanceImages,
  folder: string,
  signal: AbortSignal,
): Promise<StandaloneFiles> {
  const asItIs = async (image: StoredImage): Promise<StandaloneFile> => ({ ...image, path: await imageFile(paths, image) });
  const memory = saved && (await asItIs(saved.memory));
  if (disk.backingId === null) {
    return { disk: await asItIs(disk), saved: saved && memory && { disk: await asItIs(saved.disk), memory } };
  }
  const hashed = async (path: string): Promise<StandaloneFile> => ({ path, ...(await hashFile(path, { signal })) });
  const flat = join(folder, 'disk.qcow2');
  await convertDisk(await imageFile(paths, disk), 'qcow2', flat, signal);
  const flatFile = await hashed(flat);
  if (!saved || !memory) return { disk: flatFile, saved: null };

  const overlay = join(folder, 'saved-disk.qcow2');
  const upon = ['-b', flatFile.sha256, '-F', 'qcow2', overlay];
  if (saved.disk.id === disk.id) {
    // What was saved is the disk itself: nothing differs from it.
    await runTool('qemu-img', ['create', '-q', '-u', '-f', 'qcow2', ...upon, String(disk.virtualSizeBytes)], { signal });
  } else {
    await copyFile(await imageFile(paths, saved.disk), overlay, constants.COPYFILE_FICLONE);
    await runTool('qemu-img', ['rebase', '-u', '-f', 'qcow2', ...upon], { signal });
  }
  return { disk: flatFile, saved: { disk: await hashed(overlay), memory } };
}
