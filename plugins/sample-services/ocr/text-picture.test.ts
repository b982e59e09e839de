import { crc32, inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { textPicture } from './text-picture.ts';

interface Chunk {
  readonly type: string;
  readonly data: Buffer;
}

function chunksOf(png: Uint8Array): readonly Chunk[] {
  const bytes = Buffer.from(png);
  const chunks: Chunk[] = [];
  for (let offset = 8; offset < bytes.length;) {
    const end = offset + 8 + bytes.readUInt32BE(offset);
    expect(crc32(bytes.subarray(offset + 4, end))).toBe(bytes.readUInt32BE(end));
    chunks.push({ type: bytes.toString('latin1', offset + 4, offset + 8), data: bytes.subarray(offset + 8, end) });
    offset = end + 4;
  }
  return chunks;
}

test('is a grey PNG with dark strokes on white paper', () => {
  const [header, pixels, end] = chunksOf(textPicture(['I']));
  expect([header?.type, pixels?.type, end?.type]).toEqual(['IHDR', 'IDAT', 'IEND']);
  const width = header?.data.readUInt32BE(0) ?? 0;
  const rows = inflateSync(pixels?.data ?? Buffer.alloc(0));
  expect(rows.length).toBe((width + 1) * (header?.data.readUInt32BE(4) ?? 0));
  const middle = rows.subarray((width + 1) * 58 + 1, (width + 1) * 59);
  expect(middle[0]).toBe(255);
  expect(middle.filter((grey) => grey === 0).length).toBeGreaterThanOrEqual(4);
});

test('says which character it cannot draw', () => {
  expect(() => textPicture(['ä'])).toThrow(/no "ä"/);
});
