import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { DiskFormat } from '../../workflows/contract/image-source.ts';
import { bytesPerGib, formatBytes } from '../../workflows/contract/units.ts';
import { diskFull, runTool } from '../run-tool.ts';
import { headerFault } from './disk-header.ts';
import { freeSpaceBytes, minimumFreeBytes } from './overlay.ts';

const maximumVirtualBytes = 2048 * bytesPerGib;
/** A header can claim anything; reading one must not cost the host its memory or an hour. */
const readingLimits = ['--as=1073741824', '--cpu=20'];
/** Blocks may be compressed and copied in any order: much work, but never much memory. */
const convertingLimits = ['--as=2147483648', '--cpu=7200'];

interface DiskInfo {
  readonly format: string;
  readonly 'virtual-size': number;
  readonly 'backing-filename'?: string;
  readonly encrypted?: boolean;
  readonly 'format-specific'?: {
    readonly data?: {
      readonly 'data-file'?: string;
      readonly corrupt?: boolean;
      /** Of a vmdk: the files that it consists of. */
      readonly extents?: readonly { readonly filename: string }[];
    };
  };
}

/**
 * Looks at a disk that a stranger may have made, before anything else opens it: the format is the one that was said,
 * never guessed, and nothing in it may point to another file.
 * @throws CloudletError `unsafe-image` saying what is wrong, `not-found`
 */
export async function inspectDisk(path: string, format: DiskFormat, signal?: AbortSignal): Promise<{ virtualSizeBytes: number }> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new CloudletError('not-found', `There is no file ${path} on this host. Put the disk into the import folder first.`);
  if (!found.isFile() || found.size === 0) throw unsafe(path, 'it is not a file with something in it');
  const fault = (await headerFault(path, format)) ?? faultOf(path, await readInfo(path, format, signal));
  if (typeof fault === 'string') throw unsafe(path, fault);
  return fault;
}

async function readInfo(path: string, format: DiskFormat, signal?: AbortSignal): Promise<DiskInfo> {
  try {
    return await askQemuImg<DiskInfo>('info', ['-f', format, path], signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw unsafe(path, `qemu-img cannot read it (${(error as Error).message})`);
  }
}

/** @returns what is wrong with it, or what it is where nothing is */
function faultOf(path: string, info: DiskInfo): string | { virtualSizeBytes: number } {
  const { extents, corrupt, 'data-file': dataFile } = info['format-specific']?.data ?? {};
  const virtualSizeBytes = info['virtual-size'];
  if (info['backing-filename'] !== undefined)
    return `it needs another file (${info['backing-filename']}); flatten it first: qemu-img convert`;
  if (dataFile !== undefined || extents?.some(({ filename }) => filename !== path))
    return 'it keeps its data in another file; flatten it first: qemu-img convert';
  if (corrupt) return 'it is marked as corrupt; repair it first: qemu-img check -r all';
  if (info.encrypted) return 'it is encrypted';
  if (virtualSizeBytes <= 0 || virtualSizeBytes > maximumVirtualBytes)
    return `its size of ${formatBytes(virtualSizeBytes)} is not between 1 B and ${formatBytes(maximumVirtualBytes)}`;
  return { virtualSizeBytes };
}

const unsafe = (path: string, fault: string): CloudletError => new CloudletError('unsafe-image', `The disk ${path} is refused: ${fault}.`);

async function askQemuImg<Answer>(question: 'info' | 'measure', args: readonly string[], signal?: AbortSignal): Promise<Answer> {
  const text = await runTool('prlimit', [...readingLimits, 'qemu-img', question, '--output=json', ...args], { signal, timeoutMs: 30_000 });
  return JSON.parse(text) as Answer;
}

/**
 * Copies a disk into a qcow2 of our own making, with nothing but its blocks. A small file can hold a large disk, so the
 * space that it will take is looked at first.
 * @throws CloudletError `capacity-exhausted` (disk)
 */
export async function convertDisk(from: string, format: DiskFormat, to: string, signal?: AbortSignal): Promise<void> {
  const { required } = await askQemuImg<{ required: number }>('measure', ['-f', format, '-O', 'qcow2', from], signal);
  const free = await freeSpaceBytes(dirname(to));
  if (required + minimumFreeBytes > free)
    throw diskFull(`the disk takes ${formatBytes(required)} when it is unpacked, and ${formatBytes(free)} are left`);
  await runTool('prlimit', [...convertingLimits, 'qemu-img', 'convert', '-q', '-f', format, '-O', 'qcow2', from, to], {
    signal,
    timeoutMs: 3_600_000,
  });
}
