import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { bytesPerMib, formatBytes } from '../../workflows/contract/units.ts';
import { freeSpaceBytes, minimumFreeBytes } from '../images/overlay.ts';
import { asDiskError, diskFull } from '../run-tool.ts';

/** What was written: its name, SHA-256 in hex, and size. */
export interface WrittenFile {
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** So often the disk is asked how much room is left, and told to take what it was given. */
const syncEveryBytes = 64 * bytesPerMib;

/**
 * A new file that is hashed while it is written: the disk takes one chunk while the processor reads the next. What it
 * is given must stay as it is until the call after the next one.
 */
export class HashedFile {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  #writing: Promise<void> = Promise.resolve();
  #syncing: Promise<void> = Promise.resolve();
  #sizeBytes = 0;
  #syncedBytes = 0;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  static async create(path: string): Promise<HashedFile> {
    return new HashedFile(path, await open(path, 'wx', 0o600));
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** @throws CloudletError `capacity-exhausted` when the disk is full, or about to be */
  async write(chunk: Buffer): Promise<void> {
    await this.#writing;
    this.#writing = this.#put(chunk, this.#sizeBytes);
    // Told at the next call; until then nobody listens.
    this.#writing.catch(() => undefined);
    this.#hash.update(chunk);
    this.#sizeBytes += chunk.length;
    if (this.#sizeBytes - this.#syncedBytes >= syncEveryBytes) await this.#sync();
  }

  /** Makes it last. */
  async finish(): Promise<WrittenFile> {
    try {
      await this.#writing;
      await this.#syncing;
      await this.#file.sync();
    } catch (error) {
      throw asDiskError(error);
    } finally {
      await this.close();
    }
    return { path: this.#path, sha256: this.#hash.digest('hex'), sizeBytes: this.#sizeBytes };
  }

  /** Fine when it was finished. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#syncing]);
    await this.#file.close();
  }

  async #put(chunk: Buffer, position: number): Promise<void> {
    try {
      for (let done = 0; done < chunk.length;) {
        done += (await this.#file.write(chunk, done, chunk.length - done, position + done)).bytesWritten;
      }
    } catch (error) {
      throw asDiskError(error);
    }
  }

  /** The disk works on it meanwhile: otherwise all of its work would be left for the end. */
  async #sync(): Promise<void> {
    this.#syncedBytes = this.#sizeBytes;
    await this.#syncing;
    this.#syncing = this.#file.datasync();
    this.#syncing.catch(() => undefined);
    await requireSpace(dirname(this.#path), 0);
  }
}

/** @throws CloudletError `capacity-exhausted` unless so many bytes, and some to live on, are left */
export async function requireSpace(folder: string, neededBytes: number): Promise<void> {
  const freeBytes = await freeSpaceBytes(folder);
  if (freeBytes < neededBytes + minimumFreeBytes) {
    throw diskFull(`${formatBytes(freeBytes)} are left, ${formatBytes(neededBytes + minimumFreeBytes)} are needed`);
  }
}
