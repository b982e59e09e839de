import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, chown, link, mkdir, open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { StoredImage } from '../store/images.ts';
import { imagePath, type HostPaths } from './host-paths.ts';
import { asDiskError } from '../run-tool.ts';

/**
 * Puts a finished file into the content-addressed store, where it never changes again. The file must lie on the same
 * file system; its old name goes on naming it until the caller removes it, so that a repeat finds it. Putting the same
 * content twice is fine.
 * @param onBytes told how many bytes have been read so far
 */
export async function adoptImage(
  paths: HostPaths,
  file: string,
  options: { signal?: AbortSignal; onBytes?: (bytes: number) => void } = {},
): Promise<{ sha256: string; sizeBytes: number }> {
  try {
    await protect(file);
    const { sha256, sizeBytes } = await hashFile(file, options);
    await place(paths, file, sha256);
    return { sha256, sizeBytes };
  } catch (error) {
    throw asDiskError(error);
  }
}

/** The same with a file that was hashed while it was written, by ourselves. */
export async function adoptHashedImage(paths: HostPaths, file: string, sha256: string): Promise<void> {
  try {
    await protect(file);
    await place(paths, file, sha256);
  } catch (error) {
    throw asDiskError(error);
  }
}

async function protect(file: string): Promise<void> {
  // A filtered guest's disk belonged to its own uid, whose owner could make it writable again.
  await chown(file, process.getuid!(), process.getgid!());
  await chmod(file, 0o444);
}

async function place(paths: HostPaths, file: string, sha256: string): Promise<void> {
  await mkdir(paths.images, { recursive: true });
  await syncFile(file);
  await link(file, imagePath(paths, sha256)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await syncFile(paths.images);
}

/** @returns SHA-256 in hex, and the size */
export async function hashFile(
  file: string,
  { signal, onBytes }: { signal?: AbortSignal; onBytes?: (bytes: number) => void } = {},
): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  await pipeline(
    createReadStream(file, { highWaterMark: 1024 * 1024 }),
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        hash.update(chunk);
        sizeBytes += chunk.length;
        onBytes?.(sizeBytes);
      }
    },
    { signal },
  );
  return { sha256: hash.digest('hex'), sizeBytes };
}

/**
 * Path of an image that this host holds, after a look that costs nothing: it is there and has the size it should have.
 * @throws CloudletError `image-unavailable`
 */
export async function imageFile(paths: HostPaths, image: StoredImage): Promise<string> {
  const path = imagePath(paths, image.sha256);
  const found = await stat(path).catch(() => undefined);
  if (!found) {
    throw new CloudletError(
      'image-unavailable',
      `The ${image.kind} image ${image.sha256.slice(0, 12)} is gone from this host. Build or import the service again.`,
    );
  }
  if (found.size !== image.sizeBytes) {
    throw new CloudletError(
      'image-unavailable',
      `The ${image.kind} image ${image.sha256.slice(0, 12)} is damaged: it has ${found.size} bytes and should have ${image.sizeBytes}. Build or import the service again.`,
    );
  }
  return path;
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
