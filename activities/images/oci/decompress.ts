import type { FileHandle } from 'node:fs/promises';
import { PassThrough, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { formatBytes } from '../../../workflows/contract/units.ts';
import { diskFull } from '../../run-tool.ts';
import { freeSpaceBytes } from '../overlay.ts';
import { unprocessable, unsafe } from './refusals.ts';
import type { UnpackLimits } from './unpack-limits.ts';

/** Part of an open file. */
export interface Packed {
  readonly file: FileHandle;
  readonly offset: number;
  readonly sizeBytes: number;
}

const compressions = [
  { name: 'gzip', magic: [0x1f, 0x8b], decompressor: () => createGunzip() },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd], decompressor: () => createZstdDecompress() },
] as const;
const pieceBytes = 256 * 1024;
const lookAtDiskEveryBytes = 64 * 2 ** 20;

/** By what the bytes are: media types are missing in some archives and wrong in others. */
export async function compressionOf({ file, offset, sizeBytes }: Packed): Promise<(typeof compressions)[number] | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, Math.min(4, sizeBytes), offset);
  return compressions.find(({ magic }) => buffer.subarray(0, bytesRead).subarray(0, magic.length).equals(Buffer.from(magic)));
}

export async function decompressorOf(packed: Packed): Promise<Transform> {
  return (await compressionOf(packed))?.decompressor() ?? new PassThrough();
}

/** The bytes as they lie in the file. */
export async function* packedBytes({ file, offset, sizeBytes }: Packed): AsyncGenerator<Buffer> {
  for (let at = 0; at < sizeBytes;) {
    const wanted = Math.min(pieceBytes, sizeBytes - at);
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, offset + at);
    if (bytesRead === 0) throw unprocessable('it ends in the middle; it was not copied whole');
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/**
 * Hands unpacked bytes on while they stay within what is sane and what the host has room for.
 * @param folder where they go to
 */
export async function* bounded(
  plain: AsyncIterable<Buffer>,
  { sizeBytes }: Pick<Packed, 'sizeBytes'>,
  folder: string,
  limits: UnpackLimits,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  let lookAt = 0;
  for await (const piece of plain) {
    bytes += piece.length;
    if (bytes > limits.ratioFromBytes && bytes > sizeBytes * limits.ratio) {
      throw unsafe(`${formatBytes(sizeBytes)} of it unpack to more than ${limits.ratio} times as much`);
    }
    if (bytes > lookAt) {
      lookAt = bytes + lookAtDiskEveryBytes;
      const freeBytes = await freeSpaceBytes(folder);
      if (freeBytes < limits.freeBytes) throw diskFull(`${formatBytes(freeBytes)} are left while a container image is unpacked`);
    }
    yield piece;
  }
}

/** What the decompressors say when their input is damaged, in our words. */
export function asRefusal(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  const isDamage = typeof code === 'string' && /^(Z_|ZSTD_|ERR_ZLIB|ERR_ZSTD)/i.test(code);
  return isDamage ? unprocessable(`its compression is damaged or cut off (${(error as Error).message})`, error) : error;
}
