import { readable } from '../../archives/archive-faults.ts';
import { unsafe } from './refusals.ts';
import type { UnpackLimits } from './unpack-limits.ts';

export type NameLimits = Pick<UnpackLimits, 'nameBytes' | 'pathBytes' | 'depth'>;

const whiteoutPrefix = '.wh.';
const metadataPrefix = '.wh..wh.';
const opaqueName = '.wh..wh..opq';

/** What an entry's name says: a place in the tree, or something about the layers below. */
export type EntryName =
  | { readonly kind: 'place' | 'whiteout' | 'opaque'; readonly path: readonly string[] }
  /** Of the tool that wrote the layer, and nobody else's business. */
  | { readonly kind: 'metadata' };

/**
 * @param name bytes of the name as it stands in the layer, one a character
 * @throws CloudletError for names that no honest layer has
 */
export function parseEntryName(name: string, limits: NameLimits): EntryName {
  const path = placeOf(name, limits);
  const last = path.at(-1) ?? '';
  if (last === opaqueName) return { kind: 'opaque', path: path.slice(0, -1) };
  if (path.some((part) => part.startsWith(metadataPrefix))) return { kind: 'metadata' };
  if (!last.startsWith(whiteoutPrefix)) return { kind: 'place', path };
  const removed = last.slice(whiteoutPrefix.length);
  if (removed === '' || removed === '.' || removed === '..') throw unsafe(`${readable(name)} would remove a directory from within`);
  return { kind: 'whiteout', path: [...path.slice(0, -1), removed] };
}

/** The target of a hard link: a name in the same tree. Some tools write it from the root of the image on. */
export const parseLinkName = (name: string, limits: NameLimits): readonly string[] => placeOf(name.replace(/^\//, ''), limits);

function placeOf(name: string, limits: NameLimits): readonly string[] {
  // Some tools write the root itself so.
  if (name.startsWith('/') && name !== '/') throw unsafe(`the name ${readable(name)} is absolute`);
  if (name.length > limits.pathBytes) throw unsafe(`the name ${readable(name)} has ${name.length} bytes`);
  const path = name.split('/').filter((part) => part !== '' && part !== '.');
  if (path.includes('..')) throw unsafe(`the name ${readable(name)} leads outside of it`);
  if (path.length > limits.depth) throw unsafe(`its directories are nested too deep (${path.length} levels)`);
  for (const part of path) refuseBadPart(part, limits);
  return path;
}

/** Names that no file system takes, or that the tools which make one cannot be told. */
export function refuseBadPart(part: string, { nameBytes }: Pick<NameLimits, 'nameBytes'>): void {
  if (part.length > nameBytes) throw unsafe(`the name ${readable(part)} has ${part.length} bytes`);
  if (/[\n\0]/.test(part)) throw unsafe(`the name ${readable(part)} holds a line break`);
}
