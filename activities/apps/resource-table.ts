import {
  chunkType,
  chunksIn,
  readChunk,
  readStringPool,
  readValue,
  valueOf,
  valueType,
  type Chunk,
  type ResourceValue,
  type StringPool,
} from './resource-chunk.ts';

/** A value of a resource, and for which devices it is meant. */
export interface ConfiguredValue extends ResourceValue {
  /** Dots per inch; 0 where it does not matter. */
  readonly density: number;
  readonly isDefaultLanguage: boolean;
}

const flags = { sparse: 1, shortOffsets: 2 } as const;
const entryFlags = { complex: 1, compact: 8 } as const;
const noEntry = 0xffff_ffff;
/** References lead on to others; a stranger's might lead in circles. */
const maximumLookUps = 200;

/** `resources.arsc`: what the ids in a manifest stand for. */
export class ResourceTable {
  readonly #table: Chunk;
  readonly #strings: StringPool;
  #lookUps = 0;

  constructor(bytes: Buffer) {
    this.#table = readChunk(bytes);
    if (this.#table.type !== chunkType.table) throw new Error('it is not a resource table');
    const pool = [...chunksIn(this.#table)].find(({ type }) => type === chunkType.stringPool);
    this.#strings = pool ? readStringPool(pool) : () => undefined;
  }

  /** Every value that a resource has, references followed. */
  valuesOf(id: number): ConfiguredValue[] {
    this.#lookUps += 1;
    if (this.#lookUps > maximumLookUps) return [];
    return [...this.#values(id)].flatMap((value) => (value.type === valueType.reference ? this.valuesOf(value.data) : [value]));
  }

  *#values(id: number): Generator<ConfiguredValue> {
    for (const chunk of chunksIn(this.#table)) {
      if (chunk.type !== chunkType.package || chunk.bytes.readUInt32LE(8) !== id >>> 24) continue;
      for (const type of chunksIn(chunk)) {
        if (type.type !== chunkType.type || type.bytes.readUInt8(8) !== ((id >>> 16) & 0xff)) continue;
        const value = this.#entry(type, id & 0xffff);
        if (value) yield { ...value, density: type.bytes.readUInt16LE(20 + 14), isDefaultLanguage: type.bytes.readUInt16LE(20 + 8) === 0 };
      }
      return;
    }
  }

  #entry(type: Chunk, index: number): ResourceValue | undefined {
    const offset = entryOffset(type, index);
    if (offset === undefined) return undefined;
    const { bytes } = type;
    const at = bytes.readUInt32LE(16) + offset;
    const entryFlag = bytes.readUInt16LE(at + 2);
    if (entryFlag & entryFlags.complex) return undefined;
    if (entryFlag & entryFlags.compact) return valueOf(entryFlag >> 8, bytes.readUInt32LE(at + 4), this.#strings);
    return readValue(bytes, at + bytes.readUInt16LE(at), this.#strings);
  }
}

/** Where the entry of an index begins, counted from the type's first; undefined where the type has none. */
function entryOffset({ bytes, headerBytes }: Chunk, index: number): number | undefined {
  const flag = bytes.readUInt8(9);
  const count = bytes.readUInt32LE(12);
  if (flag & flags.sparse) {
    for (let at = headerBytes, left = count; left > 0; at += 4, left -= 1) {
      if (bytes.readUInt16LE(at) === index) return 4 * bytes.readUInt16LE(at + 2);
    }
    return undefined;
  }
  if (index >= count) return undefined;
  if (flag & flags.shortOffsets) {
    const offset = bytes.readUInt16LE(headerBytes + 2 * index);
    return offset === 0xffff ? undefined : 4 * offset;
  }
  const offset = bytes.readUInt32LE(headerBytes + 4 * index);
  return offset === noEntry ? undefined : offset;
}
