import { ByteReader, type ByteSource } from './byte-reader.ts';
import { readable, unprocessable, unsafe } from './refusals.ts';
import { blockBytes, parseTarHeader, type TarHeader } from './tar-header.ts';
import type { UnpackLimits } from './unpack-limits.ts';

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
  content(): AsyncIterable<Buffer>;
}

type Limits = Pick<UnpackLimits, 'extendedHeaderBytes' | 'attributeBytes'>;

/**
 * Reads a tar archive entry by entry, and the source to its end.
 * @throws CloudletError when it is damaged, cut off, or holds what no container image does
 */
export async function* readTar(source: ByteSource, limits: Limits): AsyncGenerator<TarEntry> {
  const reader = new ByteReader(source);
  let pax: PaxRecords = new Map();
  let longName: string | undefined;
  let longLink: string | undefined;
  for (;;) {
    const block = await reader.read(blockBytes);
    if (block === undefined) return;
    const header = parseTarHeader(block);
    if (header === undefined) return reader.drain();
    if (header.type === 'x') pax = parsePax(await extension(reader, header, limits));
    else if (header.type === 'g') refuseGlobal(parsePax(await extension(reader, header, limits)));
    else if (header.type === 'L') longName = endedByZero(await extension(reader, header, limits));
    else if (header.type === 'K') longLink = endedByZero(await extension(reader, header, limits));
    else {
      const described = describe(header, pax, longName, longLink, limits);
      const end = reader.position + described.sizeBytes;
      let left = described.sizeBytes;
      const content = async function* (): AsyncGenerator<Buffer> {
        for await (const piece of reader.take(left)) {
          left -= piece.length;
          yield piece;
        }
      };
      yield { ...described, offset: reader.position, content };
      await reader.skip(end - reader.position);
      // Some tools leave the last file without its padding.
      await reader.skipIfThere(padded(described.sizeBytes) - described.sizeBytes);
      [pax, longName, longLink] = [new Map(), undefined, undefined];
    }
  }
}

const padded = (bytes: number): number => Math.ceil(bytes / blockBytes) * blockBytes;

async function extension(reader: ByteReader, { sizeBytes }: TarHeader, { extendedHeaderBytes }: Limits): Promise<Buffer> {
  if (sizeBytes > extendedHeaderBytes) throw unsafe(`a header in it has ${sizeBytes} bytes`);
  const body = await reader.read(padded(sizeBytes));
  return (body ?? Buffer.alloc(0)).subarray(0, sizeBytes);
}

const endedByZero = (body: Buffer): string => body.toString('latin1').split('\0', 1)[0]!;

type PaxRecords = ReadonlyMap<string, Buffer>;

/** Records `length key=value\n`, where the length counts itself. */
function parsePax(body: Buffer): PaxRecords {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < body.length;) {
    const space = body.indexOf(0x20, at);
    const length = space === -1 ? Number.NaN : Number(body.toString('latin1', at, space));
    const record = body.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    if (!Number.isInteger(length) || at + length > body.length || body[at + length - 1] !== 0x0a || equals < 1) {
      throw unprocessable('an extended header in it is damaged');
    }
    records.set(record.toString('latin1', 0, equals), record.subarray(equals + 1));
    at += length;
  }
  return records;
}

/** A comment, as git writes it, says nothing about files; whatever else would change all of them. */
function refuseGlobal(records: PaxRecords): void {
  const [other] = [...records.keys()].filter((key) => key !== 'comment');
  if (other !== undefined) throw unprocessable(`it has a global header "${other}", which no layer has`);
}

const attributePrefix = 'SCHILY.xattr.';

function describe(
  header: TarHeader,
  pax: PaxRecords,
  longName: string | undefined,
  longLink: string | undefined,
  { attributeBytes }: Limits,
): Omit<TarEntry, 'offset' | 'content'> {
  const { type, ...rest } = header;
  const name = pax.get('path')?.toString('latin1') ?? longName ?? header.name;
  const kind = Object.hasOwn(kinds, type) ? kinds[type as keyof typeof kinds] : undefined;
  if (kind === undefined || [...pax.keys()].some((key) => key.startsWith('GNU.sparse'))) {
    throw unprocessable(`${readable(name)} in it is of a type (${readable(type)}) that no layer has`);
  }
  const isOldDirectory = kind === 'file' && name.endsWith('/');
  const number = (key: string, otherwise: number): number => {
    const text = pax.get(key)?.toString('latin1');
    const value = text === undefined ? otherwise : Math.trunc(Number(text));
    if (!Number.isSafeInteger(value)) throw unprocessable(`${readable(name)} in it has an absurd ${key}`);
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
    uid: id(number('uid', header.uid), name),
    gid: id(number('gid', header.gid), name),
    mtimeSeconds: Math.min(Math.max(number('mtime', header.mtimeSeconds), 0), 2 ** 31 - 1),
    // Links name no content, whatever their size says; old writers put the size of their target there.
    sizeBytes: kind === 'hard-link' || kind === 'symlink' || kind === 'directory' || isOldDirectory ? 0 : sizeBytes,
    attributes,
  };
}

function id(value: number, name: string): number {
  if (value < 0 || value > 2 ** 32 - 2) throw unprocessable(`${readable(name)} in it belongs to an absurd user or group`);
  return value;
}
