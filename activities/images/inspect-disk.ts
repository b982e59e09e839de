import { open, stat } from 'node:fs/promises';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { bytesPerGib, formatBytes } from '../../workflows/contract/units.ts';
import { runTool } from '../run-tool.ts';

export type DiskFormat = 'qcow2' | 'raw';

const maximumVirtualBytes = 2048 * bytesPerGib;
/** A header can claim anything; reading one must not cost the host its memory or an hour. */
const limits = ['--as=1073741824', '--cpu=20'];

interface DiskInfo {
  readonly format: string;
  readonly 'virtual-size': number;
  readonly 'backing-filename'?: string;
  readonly 'dirty-flag'?: boolean;
  readonly encrypted?: boolean;
  readonly snapshots?: readonly unknown[];
  readonly 'format-specific'?: { readonly data?: { readonly 'data-file'?: string; readonly corrupt?: boolean } };
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
  await requireMagic(path, format);
  const info = await readInfo(path, format, signal);
  const fault = faultOf(info);
  if (fault) throw unsafe(path, fault);
  return { virtualSizeBytes: info['virtual-size'] };
}

const qcow2Magic = Buffer.from('QFI\xfb', 'latin1');
/** Formats that hide in what is said to be raw: a guest could have written such a header into its own disk. */
const otherMagics: readonly (readonly [string, Buffer])[] = [
  ['qcow2', qcow2Magic],
  ['vmdk', Buffer.from('KDMV', 'latin1')],
  ['vhdx', Buffer.from('vhdxfile', 'latin1')],
];

async function requireMagic(path: string, format: DiskFormat): Promise<void> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
    const start = buffer.subarray(0, bytesRead);
    const startsWith = (magic: Buffer) => start.subarray(0, magic.length).equals(magic);
    if (format === 'qcow2' && !startsWith(qcow2Magic)) throw unsafe(path, 'it is said to be qcow2, but does not begin like one');
    const hidden = otherMagics.find(([, magic]) => startsWith(magic));
    if (format === 'raw' && hidden) throw unsafe(path, `it is said to be raw, but begins like ${hidden[0]}; say the format that it has`);
  } finally {
    await file.close();
  }
}

async function readInfo(path: string, format: DiskFormat, signal?: AbortSignal): Promise<DiskInfo> {
  try {
    const text = await runTool('prlimit', [...limits, 'qemu-img', 'info', '--output=json', '-f', format, path], {
      signal,
      timeoutMs: 30_000,
    });
    return JSON.parse(text) as DiskInfo;
  } catch (error) {
    signal?.throwIfAborted();
    throw unsafe(path, `qemu-img cannot read it (${(error as Error).message})`);
  }
}

function faultOf(info: DiskInfo): string | undefined {
  if (info['backing-filename'] !== undefined)
    return `it needs another file (${info['backing-filename']}); flatten it first: qemu-img convert`;
  if (info['format-specific']?.data?.['data-file'] !== undefined)
    return 'it keeps its data in another file; flatten it first: qemu-img convert';
  if (info['format-specific']?.data?.corrupt) return 'it is marked as corrupt; repair it first: qemu-img check -r all';
  if (info.encrypted) return 'it is encrypted';
  if (info['virtual-size'] <= 0 || info['virtual-size'] > maximumVirtualBytes) {
    return `its size of ${formatBytes(info['virtual-size'])} is not between 1 B and ${formatBytes(maximumVirtualBytes)}`;
  }
  return undefined;
}

const unsafe = (path: string, fault: string): CloudletError => new CloudletError('unsafe-image', `The disk ${path} is refused: ${fault}.`);

/** Copies a disk into a qcow2 of our own making, with nothing but its blocks. */
export async function convertDisk(from: string, format: DiskFormat, to: string, signal?: AbortSignal): Promise<void> {
  await runTool('qemu-img', ['convert', '-q', '-f', format, '-O', 'qcow2', from, to], { signal, timeoutMs: 3_600_000 });
}
