import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DataStore, ERRORS, Upload as TusUpload } from '@tus/server';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { bytesPerGib, bytesPerMib, formatBytes, msPerHour } from '../../workflows/contract/units.ts';
import { uploadPath, type HostPaths } from '../images/host-paths.ts';
import { hashFile } from '../images/image-store.ts';
import { freeSpaceBytes } from '../images/overlay.ts';
import { asDiskError, diskFull } from '../run-tool.ts';
import type { Upload } from '../store/entities/upload.ts';
import { completeUpload, createUpload, findUpload, forgetUpload, noUpload, touchUpload, type NewUpload } from '../store/uploads.ts';
import type { Store } from '../store/store.ts';

/** Left for everybody else: a disk that an upload filled up would end guests and databases. */
const keptFreeBytes = 512 * bytesPerMib;
const lookAtDiskEveryBytes = 64 * bytesPerMib;
/** Unfinished, or finished and not asked for, since the last byte. */
export const uploadExpiryMs = 24 * msPerHour;

export interface UploadFilesOptions {
  readonly store: Store;
  readonly paths: Pick<HostPaths, 'uploads'>;
  readonly maximumBytes: number;
  /** Of the disk that uploads lie on. */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

/**
 * Uploads as tus 1.0 wants them stored: the row says what a file shall be, the file says how much of it is there, so
 * that nothing is lost with a process. Every method repeats without harm.
 */
export class UploadFiles extends DataStore {
  readonly #options: Required<UploadFilesOptions>;
  /** Hashes of what came through this process: whoever sends a file in one go does not wait for it to be read again. */
  readonly #hashes = new Map<string, { readonly hash: Hash; bytes: number }>();
  readonly #finishing = new Map<string, Promise<void>>();

  constructor(options: UploadFilesOptions) {
    super();
    this.#options = { freeBytes: freeSpaceBytes, ...options };
    this.extensions = ['creation', 'creation-with-upload', 'termination', 'expiration'];
  }

  get maximumBytes(): number {
    return this.#options.maximumBytes;
  }

  /** @throws CloudletError `invalid-input`, `capacity-exhausted` (disk), `disk-read-only` */
  override async create(upload: TusUpload): Promise<TusUpload> {
    const { store, paths } = this.#options;
    const described = describedUpload(upload);
    try {
      await mkdir(paths.uploads, { recursive: true });
      await this.#requireRoom(described.sizeBytes, described.fileName);
      // In this order: a file without a row is a stray one to the sweep.
      await createUpload(store, upload.id, described);
      await (await open(this.path(upload.id), 'w', 0o600)).close();
    } catch (error) {
      await forgetUpload(store, upload.id).catch(() => undefined);
      throw asDiskError(error);
    }
    return upload;
  }

  override async write(stream: Readable, id: string, offset: number): Promise<number> {
    const { store } = this.#options;
    const { sizeBytes, fileName } = await this.require(id);
    await this.#requireRoom(sizeBytes - offset, fileName);
    await touchUpload(store, id);
    const hashed = this.#hashFrom(id, offset);
    let written = 0;
    const watched = async function* (this: UploadFiles, chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        const looks = Math.floor(written / lookAtDiskEveryBytes) !== Math.floor((written + chunk.length) / lookAtDiskEveryBytes);
        if (looks) {
          await this.#requireRoom(sizeBytes - offset - written, fileName);
          await touchUpload(store, id);
        }
        written += chunk.length;
        hashed?.hash.update(chunk);
        yield chunk;
      }
    }.bind(this);
    try {
      await pipeline(stream, watched, createWriteStream(this.path(id), { flags: 'r+', start: offset, mode: 0o600, flush: true }));
    } catch (error) {
      this.#hashes.delete(id);
      throw asDiskError(error);
    }
    if (hashed) hashed.bytes += written;
    await touchUpload(store, id);
    return offset + written;
  }

  override async getUpload(id: string): Promise<TusUpload> {
    const upload = await findUpload(this.#options.store, id);
    const receivedBytes = upload ? await this.receivedBytes(id) : undefined;
    if (!upload || receivedBytes === undefined) throw ERRORS.FILE_NOT_FOUND;
    return new TusUpload({
      id,
      size: upload.sizeBytes,
      offset: receivedBytes,
      metadata: { ...upload.metadata },
      // What tus counts its expiry from, by the wall clock. Ours is the last byte, by a clock that does not jump.
      creation_date: new Date(Date.now() - (this.#options.store.clock.nowMs() - upload.touchedAtMs)).toISOString(),
    });
  }

  override getExpiration(): number {
    return uploadExpiryMs;
  }

  override async remove(id: string): Promise<void> {
    this.#hashes.delete(id);
    await rm(this.path(id), { force: true });
    await forgetUpload(this.#options.store, id);
  }

  path(id: string): string {
    return uploadPath(this.#options.paths, id);
  }

  /** How much of the file is there; undefined where it is gone. */
  async receivedBytes(id: string): Promise<number | undefined> {
    return (await stat(this.path(id)).catch(() => undefined))?.size;
  }

  /** @throws CloudletError `not-found` */
  async require(id: string): Promise<Upload> {
    const upload = await findUpload(this.#options.store, id);
    if (!upload) throw noUpload(id);
    return upload;
  }

  /**
   * Verifies an upload of which every byte is there, once; of any other it does nothing.
   * @throws CloudletError `checksum-mismatch`, and the upload is gone
   */
  async finish(id: string): Promise<void> {
    const under = this.#finishing.get(id) ?? this.#finish(id).finally(() => this.#finishing.delete(id));
    this.#finishing.set(id, under);
    await under;
  }

  async #finish(id: string): Promise<void> {
    const upload = await findUpload(this.#options.store, id);
    if (!upload || upload.sha256 !== null || (await this.receivedBytes(id)) !== upload.sizeBytes) return;
    const hashed = this.#hashes.get(id);
    this.#hashes.delete(id);
    const sha256 = hashed?.bytes === upload.sizeBytes ? hashed.hash.digest('hex') : (await hashFile(this.path(id))).sha256;
    if (upload.declaredSha256 !== null && upload.declaredSha256 !== sha256) {
      await this.remove(id);
      throw new CloudletError(
        'checksum-mismatch',
        `The bytes of "${upload.fileName}" have the SHA-256 ${sha256}, but ${upload.declaredSha256} was declared. The upload was removed; send the file again.`,
      );
    }
    await completeUpload(this.#options.store, id, sha256);
  }

  /** The running hash of an upload, where every byte before `offset` went through it. */
  #hashFrom(id: string, offset: number): { readonly hash: Hash; bytes: number } | undefined {
    if (offset === 0) this.#hashes.set(id, { hash: createHash('sha256'), bytes: 0 });
    const hashed = this.#hashes.get(id);
    if (hashed?.bytes === offset) return hashed;
    this.#hashes.delete(id);
    return undefined;
  }

  async #requireRoom(neededBytes: number, fileName: string): Promise<void> {
    const freeBytes = await this.#options.freeBytes(this.#options.paths.uploads);
    const usableBytes = Math.max(0, freeBytes - keptFreeBytes);
    if (neededBytes <= usableBytes) return;
    throw diskFull(`"${fileName}" needs ${formatBytes(neededBytes)} more, and ${formatBytes(usableBytes)} can be used`);
  }
}

/** @throws CloudletError `invalid-input` */
function describedUpload({ size = 0, metadata = {} }: TusUpload): NewUpload {
  const { filename, sha256 } = metadata;
  const errors = [...metadataFaults(metadata)];
  if (errors.length > 0) {
    throw new CloudletError('invalid-input', `Upload-Metadata is not valid: ${errors.map(({ message }) => message).join('; ')}.`, {
      errors,
    });
  }
  return { fileName: filename ?? 'unnamed', sizeBytes: size, metadata, declaredSha256: sha256?.toLowerCase() ?? null };
}

function* metadataFaults(metadata: Readonly<Record<string, string | null>>) {
  const pointer = '/headers/upload-metadata';
  const { filename, sha256 } = metadata;
  if (Object.values(metadata).some((value) => value?.includes('\0'))) yield { pointer, message: 'a value contains a NUL character' };
  // Control characters would draw on the terminal of whoever lists uploads.
  if (filename !== undefined && !/^[^/\p{Cc}]{1,255}$/u.test(filename ?? ''))
    yield { pointer, message: 'filename must be 1 to 255 characters without slashes and control characters' };
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(sha256 ?? '')) yield { pointer, message: 'sha256 must be 64 hex digits' };
}

export const maximumUploadBytes = (maxUploadGib: number): number => maxUploadGib * bytesPerGib;
