import { chmod, link, lutimes, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Ext4Root, TreeSize } from '../guest-disk/ext4-root.ts';
import { contentPath, type Unpacking } from './apply-layer.ts';
import type { Directory, Entry, Leaf, Ownership } from './layer-tree.ts';

const blockBytes = 4096;
/** Beyond it a link's target has a block of its own. */
const inlineTargetBytes = 59;

/**
 * Lays a finished tree out on the host, as what mke2fs is to copy: contents are moved to their names. Everything here is
 * the host's own and without rights; owners, set-user-id bits, modes that would keep us out and capabilities are
 * settings for the guest's disk alone. Every directory of a path was made here, so no link is ever followed.
 * @param directory does not exist yet
 */
export async function stageRoot(unpacking: Unpacking, directory: string): Promise<Omit<Ext4Root, 'spare'>> {
  // No container has it, and some programs want their directory empty.
  const settings = ['rmdir /lost+found'];
  const placed = new Map<Leaf, Buffer>();
  const size = { bytes: 0, inodes: 0 };
  let values = 0;

  /** What differs between a file here and in the guest. */
  const settle = async (guestPath: string, ownership: Ownership, staged: number, type: number): Promise<void> => {
    const { mode, uid, gid, attributes } = ownership;
    const name = quoted(`/${guestPath}`);
    if (uid !== 0) settings.push(`set_inode_field ${name} uid ${uid}`);
    if (gid !== 0) settings.push(`set_inode_field ${name} gid ${gid}`);
    if (mode !== staged) settings.push(`set_inode_field ${name} mode 0${(type | mode).toString(8)}`);
    for (const [attribute, value] of attributes) {
      const valuePath = path.join(unpacking.contents, `attribute-${(values += 1)}`);
      await writeFile(valuePath, value);
      settings.push(`ea_set -f ${quoted(Buffer.from(valuePath).toString('latin1'))} ${name} ${quoted(attribute)}`);
    }
  };

  const place = async (guestPath: string, { node }: Entry): Promise<void> => {
    const hostPath = onHost(directory, guestPath);
    if (node.kind === 'directory') return layOut(guestPath, node);
    const other = placed.get(node);
    if (other) return link(other, hostPath);
    placed.set(node, hostPath);
    addLeaf(size, node);
    const { mode, mtimeSeconds } = node.ownership;
    if (node.kind === 'symlink') {
      await symlink(Buffer.from(node.target, 'latin1'), hostPath);
      await lutimes(hostPath, mtimeSeconds, mtimeSeconds);
      return settle(guestPath, { ...node.ownership, mode: 0 }, 0, 0);
    }
    if (node.content === undefined) await writeFile(hostPath, '', { flag: 'wx' });
    else await rename(contentPath(unpacking, node.content), hostPath);
    const staged = (mode & 0o777) | 0o600;
    await chmod(hostPath, staged);
    await lutimes(hostPath, mtimeSeconds, mtimeSeconds);
    return settle(guestPath, node.ownership, staged, 0o100000);
  };

  const layOut = async (guestPath: string, { entries, ownership }: Directory): Promise<void> => {
    const hostPath = onHost(directory, guestPath);
    await mkdir(hostPath, { mode: 0o700 });
    for (const [name, entry] of entries) {
      unpacking.signal.throwIfAborted();
      await place(guestPath === '' ? name : `${guestPath}/${name}`, entry);
    }
    addDirectory(size, entries);
    const staged = (ownership.mode & 0o777) | 0o700;
    await chmod(hostPath, staged);
    await lutimes(hostPath, ownership.mtimeSeconds, ownership.mtimeSeconds);
    await settle(guestPath, ownership, staged, 0o040000);
  };

  await layOut('', unpacking.tree.root);
  return { directory, settings, size: { bytes: size.bytes, inodes: size.inodes - 1 } };
}

type Sum = { -readonly [Key in keyof TreeSize]: TreeSize[Key] };

function addLeaf(size: Sum, { kind, sizeBytes, target }: Leaf): void {
  size.inodes += 1;
  size.bytes += Math.ceil(sizeBytes / blockBytes) * blockBytes;
  if (kind === 'symlink' && target.length > inlineTargetBytes) size.bytes += blockBytes;
}

/** Half as much again as the names need, because blocks of a directory are never quite full. */
function addDirectory(size: Sum, entries: ReadonlyMap<string, Entry>): void {
  const names = [...entries.keys()].reduce((sum, name) => sum + name.length + 12, 0);
  size.inodes += 1;
  size.bytes += Math.ceil((names * 1.5) / blockBytes + 1) * blockBytes;
}

const onHost = (directory: string, guestPath: string): Buffer =>
  Buffer.concat([Buffer.from(directory), Buffer.from(guestPath === '' ? '' : `/${guestPath}`, 'latin1')]);

/** As debugfs reads a word: in quotes, those in it doubled. */
const quoted = (word: string): string => `"${word.replaceAll('"', '""')}"`;
