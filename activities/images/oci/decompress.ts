import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { FileHandle } from 'node:fs/promises';
import { PassThrough, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { CloudletError } from '../../../workflows/contract/errors.ts';
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
  { name: 'gzip', magic: [0x1f, 0x8b], decompressor: (_signal: AbortSignal) => createGunzip() },
  {
    name: 'zstd',
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    decompressor: (signal: AbortSignal) => (packed: AsyncIterable<Buffer>) => unzstd(packed, signal),
  },
] as const;
const pieceBytes = 256 * 1024;
const lookAtDiskEveryBytes = 64 * 2 ** 20;

/** By what the bytes are: media types are missing in some archives and wrong in others. */
export async function compressionOf({ file, offset, sizeBytes }: Packed): Promise<(typeof compressions)[number] | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, Math.min(4, sizeBytes), offset);
  return compressions.find(({ magic }) => buffer.subarray(0, bytesRead).subarray(0, magic.length).equals(Buffer.from(magic)));
}

export type Decompressor = Transform | ((packed: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>);

/** For a pipeline. */
export async function decompressorOf(packed: Packed, signal: AbortSignal): Promise<Decompressor> {
  return (await compressionOf(packed))?.decompressor(signal) ?? new PassThrough();
}

/** What the program may take: memory for the largest window that layers have, and no file of its own. */
const zstd = ['--as=1073741824', '--core=0', '--fsize=0', 'zstd', '-dcq', '--memory=128MB'];
const lastWordsCharacters = 300;

/** Debian's zstd, since Node's own ends with the first frame, and podman for one writes layers of many. */
async function* unzstd(packed: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer> {
  const child = spawn('prlimit', zstd, { stdio: ['pipe', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-lastWordsCharacters)));
  const ended = once(child, 'close').catch((error: Error) => [error.message]);
  const fed = pipeline(packed, child.stdin).catch((error: unknown) => error);
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const [status] = await ended;
    const fault = await fed;
    if (fault instanceof CloudletError) throw fault;
    if (status !== 0) throw unprocessable(`its compression is damaged or cut off (${words.trim() || String(status)})`);
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
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
  const isDamage = typeof code === 'string' && /^(Z_|ERR_ZLIB)/.test(code);
  return isDamage ? unprocessable(`its compression is damaged or cut off (${(error as Error).message})`, error) : error;
}
