import { chunkType, chunksIn, readChunk, readStringPool, readValue, type ResourceValue, type StringPool } from './resource-chunk.ts';

export interface XmlAttribute {
  readonly name: () => string | undefined;
  /** Android's id of the attribute, by which the system knows it whatever its name is; 0 for one that is not Android's. */
  readonly id: number;
  readonly value: ResourceValue;
}

export interface XmlElement {
  readonly name: string;
  readonly attributes: readonly XmlAttribute[];
}

/** Elements of a binary XML document in the order in which they begin. */
export function* readBinaryXml(bytes: Buffer): Generator<XmlElement> {
  const document = readChunk(bytes);
  if (document.type !== chunkType.xml) throw new Error('it is not binary XML');
  let strings: StringPool = () => undefined;
  let ids: readonly number[] = [];
  for (const chunk of chunksIn(document)) {
    if (chunk.type === chunkType.stringPool) strings = readStringPool(chunk);
    else if (chunk.type === chunkType.resourceMap)
      ids = Array.from({ length: (chunk.bytes.length - chunk.headerBytes) >> 2 }, (_, index) =>
        chunk.bytes.readUInt32LE(chunk.headerBytes + 4 * index),
      );
    else if (chunk.type === chunkType.startElement) yield readElement(chunk.bytes.subarray(chunk.headerBytes), strings, ids);
  }
}

const attributeBytes = 20;

function readElement(body: Buffer, strings: StringPool, ids: readonly number[]): XmlElement {
  const start = body.readUInt16LE(8);
  const step = body.readUInt16LE(10);
  const count = body.readUInt16LE(12);
  if (step < attributeBytes || start + count * step > body.length) throw new Error('an element claims more attributes than there are');
  const attributes = Array.from({ length: count }, (_, index): XmlAttribute => {
    const at = start + index * step;
    const name = body.readUInt32LE(at + 4);
    return { name: () => strings(name), id: ids[name] ?? 0, value: readValue(body, at + 12, strings) };
  });
  return { name: strings(body.readUInt32LE(4)) ?? '', attributes };
}
