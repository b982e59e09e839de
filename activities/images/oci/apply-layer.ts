import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readable } from '../../archives/archive-faults.ts';
import type { ByteSource } from '../../archives/byte-reader.ts';
import { readTar, type TarEntry } from '../../archives/read-tar.ts';
import { parseEntryName, parseLinkName } from './entry-name.ts';
import type { Leaf, LayerTree, Ownership } from './layer-tree.ts';
import { tarRules, unsafe } from './refusals.ts';
import type { UnpackLimits } from './unpack-limits.ts';

/** Where layers are unpacked to, and how far that is. */
export interface Unpacking {
  readonly tree: LayerTree;
  /** Folder of the contents, each named by its number. */
  readonly contents: string;
  readonly limits: UnpackLimits;
  readonly signal: AbortSignal;
  entries: number;
  contentBytes: number;
  nextContent: number;
}

export const contentPath = ({ contents }: Pick<Unpacking, 'contents'>, content: number): string => path.join(contents, `${content}`);

/** Attributes that mean the same in the guest as in a container; others belong to the machine that made the layer. */
const isKeptAttribute = (name: string): boolean => name === 'security.capability' || name.startsWith('user.');

/**
 * Lays a layer upon those below it.
 * @param layer its number, the lowest being 0
 * @throws CloudletError `unsafe-image` or `unprocessable-bundle` saying what is wrong with it
 */
export async function applyLayer(unpacking: Unpacking, source: ByteSource, layer: number): Promise<void> {
  const { tree, limits } = unpacking;
  for await (const entry of readTar(source, tarRules(limits))) {
    unpacking.entries += 1;
    if (unpacking.entries > limits.entries) throw unsafe(`it holds more than ${limits.entries} files`);
    const name = parseEntryName(entry.name, limits);
    if (name.kind === 'opaque') tree.makeOpaque(name.path, layer);
    else if (name.kind === 'whiteout') tree.whiteOut(name.path, layer);
    else if (name.kind === 'place') await putEntry(unpacking, entry, name.path, layer);
    for (const freed of tree.takeFreed()) await rm(contentPath(unpacking, freed), { force: true });
  }
}

async function putEntry(unpacking: Unpacking, entry: TarEntry, place: readonly string[], layer: number): Promise<void> {
  const { tree, limits } = unpacking;
  const ownership = ownershipOf(entry);
  switch (entry.kind) {
    case 'directory':
      return tree.putDirectory(place, ownership, layer);
    case 'symlink':
      if (entry.linkName === '' || entry.linkName.length > limits.pathBytes) {
        throw unsafe(`the link ${readable(entry.name)} has a target of ${entry.linkName.length} bytes`);
      }
      return tree.putLeaf(place, { kind: 'symlink', ownership, target: entry.linkName, sizeBytes: 0, names: 0 }, layer);
    case 'hard-link': {
      const target = tree.find(parseLinkName(entry.linkName, limits), { followLast: false });
      if (target === undefined || target.kind === 'directory') {
        throw unsafe(`the hard link ${readable(entry.name)} leads to ${readable(entry.linkName)}, which is no file in it`);
      }
      if (tree.find(place, { followLast: false }) !== target) tree.putLeaf(place, target, layer);
      return;
    }
    case 'file':
      return tree.putLeaf(place, await keepContent(unpacking, entry, ownership), layer);
    case 'device':
    case 'fifo':
      // The guest's kernel makes those in /dev itself.
      if (place[0] === 'dev') return;
      throw unsafe(`${readable(entry.name)} is a ${entry.kind === 'device' ? 'device' : 'named pipe'}, and lies outside of /dev`);
  }
}

async function keepContent(unpacking: Unpacking, entry: TarEntry, ownership: Ownership): Promise<Leaf> {
  const { sizeBytes } = entry;
  unpacking.contentBytes += sizeBytes;
  if (unpacking.contentBytes > unpacking.limits.contentBytes) {
    throw unsafe(`its files hold more than ${unpacking.limits.contentBytes} bytes together`);
  }
  const leaf = { kind: 'file', ownership, target: '', sizeBytes, names: 0 } as const;
  if (sizeBytes === 0) return { ...leaf };
  const content = unpacking.nextContent;
  unpacking.nextContent += 1;
  await writeFile(contentPath(unpacking, content), entry.content(), { flag: 'wx', mode: 0o600, signal: unpacking.signal });
  return { ...leaf, content };
}

const ownershipOf = ({ mode, uid, gid, mtimeSeconds, attributes }: TarEntry): Ownership => ({
  mode,
  uid,
  gid,
  mtimeSeconds,
  attributes: new Map([...attributes].filter(([key]) => isKeptAttribute(key))),
});
