import { mkdir, rename, rm, statfs, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { bytesPerMib, formatBytes } from '../../workflows/contract/units.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { asDiskError, diskFull, runTool } from '../run-tool.ts';

/** Below this an instance would hit the wall within minutes: better no start than a guest that dies. */
export const minimumFreeBytes = 64 * bytesPerMib;

export interface OverlayOptions {
  /** The file has this size from the beginning, as a hole: what QEMU may use of it. */
  readonly limitBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a disk that holds only the differences to `basePath`. Repeating it starts from an empty difference again.
 * @throws CloudletError `capacity-exhausted` (disk), `image-unavailable` when the base is not a disk
 */
export async function createOverlay(basePath: string, overlayPath: string, { limitBytes, signal }: OverlayOptions = {}): Promise<void> {
  try {
    await mkdir(dirname(overlayPath), { recursive: true });
    const freeBytes = await freeSpaceBytes(dirname(overlayPath));
    if (freeBytes < minimumFreeBytes) throw diskFull(`${formatBytes(freeBytes)} are left, ${formatBytes(minimumFreeBytes)} are needed`);
    const unfinished = `${overlayPath}.new`;
    await rm(unfinished, { force: true });
    await runTool('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', basePath, '-F', 'qcow2', unfinished], {
      signal,
    });
    if (limitBytes !== undefined) await truncate(unfinished, limitBytes);
    await rename(unfinished, overlayPath);
  } catch (error) {
    throw asOverlayError(asDiskError(error), basePath);
  }
}

function asOverlayError(error: unknown, basePath: string): unknown {
  if (
    error instanceof CloudletError &&
    error.code === 'internal' &&
    /not in qcow2 format|Image is corrupt|backing file/i.test(error.message)
  ) {
    return new CloudletError(
      'image-unavailable',
      `The disk image ${basePath} cannot be read: ${error.message}. Build or import the service again.`,
    );
  }
  return error;
}

/** Of the file system that a folder is on. */
export async function diskSpace(folder: string): Promise<{ readonly diskBytes: number; readonly diskFreeBytes: number }> {
  const { blocks, bavail, bsize } = await statfs(folder);
  return { diskBytes: blocks * bsize, diskFreeBytes: bavail * bsize };
}

export const freeSpaceBytes = async (folder: string): Promise<number> => (await diskSpace(folder)).diskFreeBytes;
