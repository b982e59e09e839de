import { readable, type ArchiveFaults } from './archive-faults.ts';
import { ByteReader, type ByteSource } from './byte-reader.ts';
import { parsePax, refuseGlobal, type PaxRecords } from './pax-records.ts';
import { blockBytes, parseTarHeader, type TarHeader } from './tar-header.ts';

const kinds = {
  '0': 'file',
  '1': 'hard-link',
  '2': 'symlink',
  '3': 'device',
  '4': 'device',
  '5': 'directory',
  '6': 'fifo',
} as const;

export interface TarEntry extends Omit<TarHeader, 'type'> {
  readonly kind: (typeof kinds)[keyof typeof kinds];
  /** Extended attributes, e.g. `security.capability`. */
  readonly attributes: ReadonlyMap<string, Buffer>;
  /** Where its content begins in the archive. */
  readonly offset: number;
  /** Its content; what is not taken before the next entry is asked for is left out. */
  readonly content: () => AsyncIterable<Buffer>;
}

/** How an archive of a stranger is read. */
export interface TarRules {
  readonly faults: ArchiveFaults;
  /** Of a header that describes the next entry: a long name and the like. */
  readonly extendedHeaderBytes: number;
  /** Extended attributes of one entry. */
  readonly attributeBytes: number;
  /** Whether the blocks that end an archive must be there; some tools leave them out. */
  readonly endRequired: boolean;
}

/** No tool writes more than three of them, whatever an entry is called. */
const mostHeadersOfAnEntry = 16;

/** What the headers before an entry say of it. */
interface Description {
  readonly pax: PaxRecords;
  readonly longName?: string;
  readonly longLink?: string;
}

/**
 * Reads a tar archive of a stranger entry by entry, and the source to its end, in memory that does not depend on it.
 * @throws CloudletError when it is damaged, cut off, or holds what no tool writes
 */
export async function* readTar(source: ByteSource, rules: TarRules): AsyncGenerator<TarEntry, void> {
  const reader = new ByteReader(source, rules.faults);
  try {
    for (;;) {
      const next = await nextEntry(reader, rules);
      if (next === undefined) return await reader.drain();
      const end = reader.position + next.sizeBytes;
      let left = next.sizeBytes;
      const content = async function* (): AsyncGenerator<Buffer> {
        for await (const piece of reader.take(left)) {
          left -= piece.length;
          yield piece;
        }
      };
      yield { ...next, offset: reader.position, content };
      await reader.skip(end - reader.position);
      // Some tools leave the last file without its padding.
      await reader.skipIfThere(padded(next.sizeBytes) - next.sizeBytes);
    }
  } finally {
    await reader.close();
  }
}

type DescribedEntry = Omit<TarEntry, 'offset' | 'content'>;

/** @returns undefined where the archive ends */
async function nextEntry(reader: ByteReader, rules: TarRules): Promise<DescribedEntry | undefined> {
  const { faults, endRequired } = rules;
  let description: Description = { pax: new Map() };
  for (let headers = 0; headers < mostHeadersOfAnEntry; headers += 1) {
    const block = await reader.read(blockBytes);
    if (block === undefined && endRequired) throw reader.cutOff();
    const header = block && parseTarHeader(block, faults);
    if (header === undefined) return undefined;
    if (header.type === 'x') description = { ...description, pax: parsePax(await extension(reader, header, rules), faults) };
    else if (header.type === 'g') refuseGlobal(parsePax(await extension(reader, header, rules), faults), faults);
    else if (header.type === 'L') description = { ...description, longName: endedByZero(await extension(reader, header, rules)) };
    else if (header.type === 'K') description = { ...description, longLink: endedByZero(await extension(reader, header, rules)) };
    else return describe(header, description, rules);
  }
  throw faults.unsafe(`it holds more than ${mostHeadersOfAnEntry} headers that describe one file`);
}

const padded = (bytes: number): number => Math.ceil(bytes / blockBytes) * blockBytes;

/** A copy: the source may use its buffers again. */
async function extension(reader: ByteReader, { sizeBytes }: TarHeader, { extendedHeaderBytes, faults }: TarRules): Promise<Buffer> {
  if (sizeBytes > extendedHeaderBytes) throw faults.unsafe(`a header in it has ${sizeBytes} bytes, which is too large`);
  const body = await reader.read(padded(sizeBytes));
  return Buffer.from((body ?? Buffer.alloc(0)).subarray(0, sizeBytes));
}

const endedByZero = (body: Buffer): string => body.toString('latin1').split('\0', 1)[0]!;

const attributePrefix = 'SCHILY.xattr.';

function describe(header: TarHeader, { pax, longName, longLink }: Description, { attributeBytes, faults }: TarRules): DescribedEntry {
  const { unprocessable, unsafe } = faults;
  const { type, ...rest } = header;
  const name = pax.get('path')?.toString('latin1') ?? longName ?? header.name;
  const kind = Object.hasOwn(kinds, type) ? kinds[type as keyof typeof kinds] : undefined;
  if (kind === undefined || [...pax.keys()].some((key) => key.startsWith('GNU.sparse'))) {
    throw unprocessable(`${readable(name)} in it is of a type (${readable(type)}) that is no plain file, folder or link`);
  }
  const isOldDirectory = kind === 'file' && name.endsWith('/');
  const number = (key: string, otherwise: number): number => {
    const text = pax.get(key)?.toString('latin1');
    const value = text === undefined ? otherwise : Math.trunc(Number(text));
    if (!Number.isSafeInteger(value)) throw unprocessable(`${readable(name)} in it has an absurd ${key}`);
    return value;
  };
  const id = (key: 'uid' | 'gid'): number => {
    const value = number(key, header[key]);
    if (value < 0 || value > 2 ** 32 - 2) throw unprocessable(`${readable(name)} in it belongs to an absurd user or group`);
    return value;
  };
  const attributes = new Map(
    [...pax].flatMap(([key, value]) => (key.startsWith(attributePrefix) ? [[key.slice(attributePrefix.length), value] as const] : [])),
  );
  const attributesBytes = [...attributes].reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (attributesBytes > attributeBytes) throw unsafe(`${readable(name)} has ${attributesBytes} bytes of extended attributes`);
  const sizeBytes = number('size', header.sizeBytes);
  if (sizeBytes < 0) throw unprocessable(`${readable(name)} in it has an absurd size`);
  return {
    ...rest,
    kind: isOldDirectory ? 'directory' : kind,
    name,
    linkName: pax.get('linkpath')?.toString('latin1') ?? longLink ?? header.linkName,
    uid: id('uid'),
    gid: id('gid'),
    mtimeSeconds: Math.min(Math.max(number('mtime', header.mtimeSeconds), 0), 2 ** 31 - 1),
    // Links name no content, whatever their size says; old writers put the size of their target there.
    sizeBytes: kind === 'hard-link' || kind === 'symlink' || kind === 'directory' || isOldDirectory ? 0 : sizeBytes,
    attributes,
  };
}
