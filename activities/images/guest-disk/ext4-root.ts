import { lstat, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CloudletError } from '../../../workflows/contract/errors.ts';
import { imageTimeSeconds } from './image-time.ts';
import { runTool } from './run-tool.ts';

const blockBytes = 4096;
const inodeBytes = 256;
const defaultSpare: TreeSize = { bytes: 8 * 2 ** 20, inodes: 4096 };
const rootInode = 2;
const firstFreeInode = 12;
const volumeLabel = 'cloudlet-root';
const volumeId = 'c10d1e70-0000-4000-8000-000000000002';
/** Named one by one, because the defaults differ between versions of mke2fs. */
const features = 'none,dir_index,ext_attr,extent,extra_isize,filetype,flex_bg,large_file,sparse_super';

/** What a tree needs in a file system. */
export interface TreeSize {
  readonly bytes: number;
  /** Inodes, the root's left out: a file with two names counts once. */
  readonly inodes: number;
}

export async function treeSize(directory: string): Promise<TreeSize> {
  const seen = new Set<number>();
  let bytes = 0;
  for (const name of await readdir(directory, { recursive: true })) {
    const { ino, size } = await lstat(path.join(directory, name));
    if (seen.has(ino)) continue;
    seen.add(ino);
    bytes += Math.ceil(size / blockBytes) * blockBytes;
  }
  return { bytes, inodes: seen.size };
}

export interface Ext4Root {
  /** Folder whose tree it begins with. */
  readonly directory: string;
  readonly size: TreeSize;
  /** Room for what the guest writes; unused room costs nothing in a qcow2. Default: a few MiB. */
  readonly spare?: TreeSize;
  /** Commands of debugfs, for what cannot be said by files of the host: other owners than root, capabilities. */
  readonly settings?: readonly string[];
}

/** Bytes that the partition must have for such a tree: whole MiB. */
export function ext4Bytes({ size, spare = defaultSpare }: Pick<Ext4Root, 'size' | 'spare'>): number {
  const mebibyte = 2 ** 20;
  const inodes = (size.inodes + spare.inodes) * inodeBytes + size.inodes * (blockBytes / 16);
  return Math.ceil((size.bytes * 1.02 + inodes + spare.bytes) / mebibyte) * mebibyte;
}

/**
 * Makes an ext4 file system with a tree's content in a part of a raw disk file. Unless a setting says otherwise,
 * everything in it belongs to root; it bears the image's time, whoever assembles it and when.
 */
export async function writeExt4Root(
  { directory, size, spare = defaultSpare, settings = [] }: Ext4Root,
  disk: { readonly path: string; readonly offsetBytes: number; readonly sizeBytes: number },
  signal: AbortSignal,
): Promise<void> {
  const extended = `offset=${disk.offsetBytes},hash_seed=${volumeId},root_owner=0:0,assume_storage_prezeroed=1`;
  const identity = ['-L', volumeLabel, '-U', volumeId, '-E', extended];
  const layout = ['-t', 'ext4', '-O', features, '-b', `${blockBytes}`, '-I', `${inodeBytes}`, '-m', '0'];
  const inodes = ['-N', `${size.inodes + spare.inodes}`];
  await runTool('mke2fs', ['-q', '-F', ...layout, ...inodes, ...identity, '-d', directory, disk.path, `${disk.sizeBytes / 1024}k`], signal);
  await settleInodes(size.inodes, settings, directory, disk, signal);
}

/** mke2fs copies owner, access and change times from the host, which differ from one assembly to the next. */
async function settleInodes(
  inodes: number,
  settings: readonly string[],
  directory: string,
  disk: { readonly path: string; readonly offsetBytes: number },
  signal: AbortSignal,
): Promise<void> {
  const numbers = [rootInode, ...Array.from({ length: inodes }, (_, index) => firstFreeInode + index)];
  const commands = numbers.flatMap((inode) => [
    ...['atime', 'ctime'].map((field) => `set_inode_field <${inode}> ${field} @${imageTimeSeconds}`),
    ...['uid', 'gid'].map((field) => `set_inode_field <${inode}> ${field} 0`),
  ]);
  const script = `${directory}.debugfs`;
  await writeFile(script, `${[...commands, ...settings].join('\n')}\n`, 'latin1');
  const output = await runTool('debugfs', ['-w', '-f', script, `${disk.path}?offset=${disk.offsetBytes}`], signal);
  const complaint = output.split('\n').find((line) => line !== '' && !/^debugfs: (set_inode_field|ea_set|rmdir) /.test(line));
  if (complaint !== undefined)
    throw new CloudletError('image-unavailable', `debugfs could not settle the guest's root file system: ${complaint}`);
}
