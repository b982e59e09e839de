import { readable } from '../archives/archive-faults.ts';
import { sourceOf } from '../archives/byte-reader.ts';
import { readTar, type TarEntry, type TarRules } from '../archives/read-tar.ts';
import { bundleLimits } from './bundle-limits.ts';
import { refuse } from './refuse.ts';

/** A file in an archive. */
export interface TarMember {
  /** Of the file alone: bundles have no folders. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Its content; what is not taken before the next member is asked for is passed over. */
  readonly content: () => AsyncIterable<Buffer>;
}

const rules: TarRules = {
  faults: { unprocessable: refuse, unsafe: refuse },
  extendedHeaderBytes: bundleLimits.extendedHeaderBytes,
  attributeBytes: bundleLimits.extendedHeaderBytes,
  endRequired: true,
};

/**
 * Reads a bundle from beginning to end, one member after the other. Nothing but files at the root is let through.
 * @throws CloudletError `unprocessable-bundle` saying what is wrong
 */
export async function* readMembers(chunks: AsyncIterable<Buffer>): AsyncGenerator<TarMember, void> {
  const names = new Set<string>();
  for await (const entry of readTar(sourceOf(chunks), rules)) {
    if (isRoot(entry)) continue;
    const member = { name: requireName(entry), sizeBytes: entry.sizeBytes, content: entry.content };
    if (member.sizeBytes > bundleLimits.unpackedBytes) throw refuse('one of its members is absurdly large');
    if (names.has(member.name)) throw refuse(`it holds "${member.name}" twice`);
    names.add(member.name);
    if (names.size > bundleLimits.members) throw refuse(`it holds more than ${bundleLimits.members} files`);
    yield member;
  }
}

/** The folder that an archive of a whole folder begins with. */
const isRoot = ({ kind, name }: TarEntry): boolean => kind === 'directory' && /^\.?\/?$/.test(name);

/** What a member must not be, in words. */
const refusedKinds: Readonly<Record<Exclude<TarEntry['kind'], 'file'>, string>> = {
  'hard-link': 'a hard link',
  symlink: 'a symbolic link',
  device: 'a device',
  fifo: 'a named pipe',
  directory: 'a folder',
};

function requireName({ kind, name: written }: TarEntry): string {
  if (kind !== 'file') throw refuse(`${readable(written)} is ${refusedKinds[kind]}; it may hold plain files only`);
  const name = Buffer.from(written, 'latin1').toString('utf8').replace(/^\.\//, '');
  if (name.startsWith('/')) throw refuse(`${readable(written)} is an absolute name`);
  if (name.split('/').includes('..')) throw refuse(`${readable(written)} leads out of the bundle`);
  // Control characters, among them those that would let a name be read in two ways.
  if (name === '' || name === '.' || /[/\\\p{Cc}]/u.test(name) || Buffer.byteLength(name) > bundleLimits.nameBytes) {
    throw refuse(`${readable(written)} is not the plain name of a file`);
  }
  return name;
}
