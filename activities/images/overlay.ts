import { mkdir, open, readFile, rename, rm, statfs, truncate, writeFile } from 'node:fs/promises';
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
    const head = await headOf(basePath);
    const blank = blanks.get(`${basePath} ${head}`);
    if (blank) await writeFile(unfinished, blank, { signal });
    else {
      await runTool('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', basePath, '-F', 'qcow2', unfinished], { signal });
      keepBlank(`${basePath} ${head}`, await readFile(unfinished));
    }
    if (limitBytes !== undefined) await truncate(unfinished, limitBytes);
    await rename(unfinished, overlayPath);
  } catch (error) {
    throw asOverlayError(asDiskError(error), basePath);
  }
}

/**
 * Overlays without a difference, by their base and how its file begins: an image never changes, so what QEMU made of it
 * once holds for every start, and none of them waits for a process. A file that begins otherwise is QEMU's to judge.
 */
const blanks = new Map<string, Buffer>();
const blanksKept = 32;

function keepBlank(key: string, blank: Buffer): void {
  blanks.set(key, blank);
  if (blanks.size > blanksKept) blanks.delete(blanks.keys().next().value!);
}

/** Length of the header of a qcow2 of version 3. */
const headBytes = 104;

async function headOf(path: string): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (!file) return '';
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes));
    return buffer.toString('base64', 0, bytesRead);
  } finally {
    await file.close();
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
