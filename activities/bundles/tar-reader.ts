import { Header, Pax } from 'tar';
import { bundleLimits } from './bundle-limits.ts';
import { ByteReader, cutOff } from './byte-reader.ts';
import { refuse } from './refuse.ts';

/** A file in an archive. */
export interface TarMember {
  /** Of the file alone: bundles have no folders. */
  readonly name: string;
  readonly sizeBytes: number;
}

/** What to do with a member; bytes that are not asked for are passed over. */
export type VisitMember = (member: TarMember, body: AsyncGenerator<Buffer, void>) => Promise<void>;

const blockBytes = 512;

/**
 * Reads a tar archive of a stranger from beginning to end, one member after the other, in memory that does not depend
 * on it. Nothing but files at the root is let through.
 * @throws CloudletError `unprocessable-bundle` saying what is wrong
 */
export async function readTar(chunks: AsyncIterable<Buffer>, visit: VisitMember): Promise<void> {
  const reader = new ByteReader(chunks);
  const names = new Set<string>();
  try {
    for await (const { header, name } of headersOf(reader)) {
      if (isRoot(header.type, name)) continue;
      const member = { name: requireName(header, name), sizeBytes: requireSize(header) };
      if (names.has(member.name)) throw refuse(`it holds "${member.name}" twice`);
      names.add(member.name);
      if (names.size > bundleLimits.members) throw refuse(`it holds more than ${bundleLimits.members} files`);
      const end = reader.position + member.sizeBytes;
      await visit(member, bodyOf(reader, end));
      await reader.skip(end - reader.position + paddingOf(member.sizeBytes));
    }
    await reader.drain();
  } finally {
    await reader.close();
  }
}

interface Entry {
  readonly header: Header;
  readonly name: string;
}

/** Headers that say something of the next one. */
const extendedHeaders: Readonly<Record<string, 'fields' | 'name' | 'nothing'>> = {
  ExtendedHeader: 'fields',
  OldExtendedHeader: 'fields',
  NextFileHasLongPath: 'name',
  OldGnuLongPath: 'name',
  GlobalExtendedHeader: 'nothing',
  NextFileHasLongLinkpath: 'nothing',
};

/** The headers of members, each with the name that an extended header may have given it. */
async function* headersOf(reader: ByteReader): AsyncGenerator<Entry, void> {
  let pax: Pax | undefined;
  let longName: string | undefined;
  for (let count = 0; ; count += 1) {
    if (count > bundleLimits.headers) throw refuse(`it holds more than ${bundleLimits.headers} headers`);
    const block = await reader.exactly(blockBytes);
    if (!block) throw cutOff();
    const header = decodeHeader(block, pax);
    if (header.nullBlock) return;
    if (!header.cksumValid) throw refuse('it is no tar archive, or a damaged one');
    const described = extendedHeaders[header.type];
    if (!described) {
      yield { header, name: pax?.path ?? longName ?? header.path ?? '' };
      [pax, longName] = [undefined, undefined];
      continue;
    }
    const text = (await extendedHeader(reader, header)).toString('utf8');
    if (described === 'fields') pax = Pax.parse(text, pax);
    if (described === 'name') longName = text.replace(/\0.*$/s, '');
  }
}

function decodeHeader(block: Buffer, pax: Pax | undefined): Header {
  try {
    return new Header(block, 0, pax);
  } catch (error) {
    throw refuse('it is a damaged tar archive', error);
  }
}

async function extendedHeader(reader: ByteReader, header: Header): Promise<Buffer> {
  const sizeBytes = requireSize(header);
  if (sizeBytes > bundleLimits.extendedHeaderBytes) throw refuse('one of its headers is too large');
  const body = await reader.exactly(sizeBytes);
  if (!body) throw cutOff();
  await reader.skip(paddingOf(sizeBytes));
  return body;
}

async function* bodyOf(reader: ByteReader, end: number): AsyncGenerator<Buffer, void> {
  while (reader.position < end) {
    const piece = await reader.some(end - reader.position);
    if (!piece) throw cutOff();
    yield piece;
  }
}

const paddingOf = (sizeBytes: number): number => (blockBytes - (sizeBytes % blockBytes)) % blockBytes;

/** The folder that an archive of a whole folder begins with. */
const isRoot = (type: string, name: string): boolean => type === 'Directory' && /^\.?\/?$/.test(name);

/** What a member must not be, in words. */
const refusedTypes: Readonly<Record<string, string>> = {
  Link: 'a hard link',
  SymbolicLink: 'a symbolic link',
  CharacterDevice: 'a device',
  BlockDevice: 'a device',
  FIFO: 'a named pipe',
  Directory: 'a folder',
};

const fileTypes: ReadonlySet<string> = new Set(['File', 'OldFile', 'ContiguousFile']);

function requireName({ type }: Header, written: string): string {
  if (!fileTypes.has(type)) throw refuse(`"${shown(written)}" is ${refusedTypes[type] ?? 'no plain file'}; it may hold plain files only`);
  const name = written.replace(/^\.\//, '');
  if (name.startsWith('/')) throw refuse(`"${shown(written)}" is an absolute name`);
  if (name.split('/').includes('..')) throw refuse(`"${shown(written)}" leads out of the bundle`);
  // Control characters, among them those that would let a name be read in two ways.
  if (name === '' || name === '.' || /[/\\\p{Cc}]/u.test(name) || Buffer.byteLength(name) > bundleLimits.nameBytes) {
    throw refuse(`"${shown(written)}" is not the plain name of a file`);
  }
  return name;
}

const shown = (name: string): string => name.replaceAll(/\p{Cc}/gu, '?').slice(0, 80);

function requireSize({ size }: Header): number {
  if (size === undefined || !Number.isSafeInteger(size) || size < 0) throw refuse('one of its members has no size');
  if (size > bundleLimits.unpackedBytes) throw refuse('one of its members is absurdly large');
  return size;
}
