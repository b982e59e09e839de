/**
 * Android's binary resources, of which manifests and `resources.arsc` are made (AOSP: ResourceTypes.h): chunks within
 * chunks, all numbers little-endian. `Buffer` refuses every read past its end, so no length is believed.
 */

export const chunkType = {
  stringPool: 0x0001,
  table: 0x0002,
  xml: 0x0003,
  startElement: 0x0102,
  resourceMap: 0x0180,
  package: 0x0200,
  type: 0x0201,
} as const;

export const valueType = { reference: 0x01, string: 0x03 } as const;

export interface Chunk {
  readonly type: number;
  /** From its first byte, its header included. */
  readonly bytes: Buffer;
  readonly headerBytes: number;
}

/** A value as it stands in an attribute or a resource: text, the id of another resource, or a number. */
export interface ResourceValue {
  readonly type: number;
  readonly data: number;
  /** Read when it is asked for: there may be more of it than anybody should read. */
  readonly text: () => string | undefined;
}

/** @throws Error where the bytes do not begin with a chunk */
export function readChunk(bytes: Buffer): Chunk {
  const type = bytes.readUInt16LE(0);
  const headerBytes = bytes.readUInt16LE(2);
  const size = bytes.readUInt32LE(4);
  if (headerBytes < 8 || size < headerBytes || size > bytes.length) throw new Error('a chunk claims more than there is');
  return { type, headerBytes, bytes: bytes.subarray(0, size) };
}

/** Of one chunk; the tables of large apps have some thousands. */
const maximumChunks = 50_000;

/** The chunks that lie in another one. */
export function* chunksIn({ bytes, headerBytes }: Chunk): Generator<Chunk> {
  let count = 0;
  for (let rest = bytes.subarray(headerBytes); rest.length >= 8;) {
    const chunk = readChunk(rest);
    count += 1;
    if (count > maximumChunks) throw new Error('it has more parts than any app needs');
    yield chunk;
    rest = rest.subarray(chunk.bytes.length);
  }
}

const utf8Flag = 1 << 8;
const longestText = 32 * 1024;

/** @returns the text of an index; undefined where there is none */
export type StringPool = (index: number) => string | undefined;

export function readStringPool({ bytes, headerBytes }: Chunk): StringPool {
  const count = bytes.readUInt32LE(8);
  const isUtf8 = (bytes.readUInt32LE(16) & utf8Flag) !== 0;
  const start = bytes.readUInt32LE(20);
  return (index) => {
    if (index >= count) return undefined;
    let at = start + bytes.readUInt32LE(headerBytes + 4 * index);
    const length = (): number => {
      const [unit, high] = isUtf8 ? [1, 0x80] : [2, 0x8000];
      const read = (): number => {
        const value = bytes.readUIntLE(at, unit);
        at += unit;
        return value;
      };
      const first = read();
      return first < high ? first : ((first & (high - 1)) << (8 * unit)) | read();
    };
    const characters = length();
    const size = isUtf8 ? length() : 2 * characters;
    if (size > longestText || at + size > bytes.length) throw new Error('a text is longer than there is room for');
    return bytes.toString(isUtf8 ? 'utf8' : 'utf16le', at, at + size);
  };
}

/** The eight bytes of a value: size, nothing, type, data. */
export function readValue(bytes: Buffer, at: number, strings: StringPool): ResourceValue {
  return valueOf(bytes.readUInt8(at + 3), bytes.readUInt32LE(at + 4), strings);
}

export const valueOf = (type: number, data: number, strings: StringPool): ResourceValue => ({
  type,
  data,
  text: () => (type === valueType.string ? strings(data) : undefined),
});
