import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame } from './frame.ts';
import { FrameParser } from './frame-parser.ts';

const message = fc.record({
  header: fc.record({
    program: fc.integer({ min: 0, max: 0xffff_ffff }),
    procedure: fc.integer(),
    type: fc.integer({ min: 0, max: 6 }),
    serial: fc.integer({ min: 0, max: 0xffff_ffff }),
    status: fc.integer({ min: 0, max: 2 }),
  }),
  body: fc.uint8Array({ maxLength: 300 }),
});

function parse(chunks: readonly Buffer[]) {
  const parser = new FrameParser();
  return chunks.flatMap((chunk) => [...parser.push(chunk)]);
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let offset = 0, i = 0; offset < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    chunks.push(bytes.subarray(offset, offset + size));
    offset += size;
  }
  return chunks;
}

describe('FrameParser', () => {
  it('finds the same messages however the bytes are cut', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(message), sizes, (messages, sizes) => {
        const bytes = Buffer.concat(messages.map(({ header, body }) => encodeFrame(header, (encoder) => encoder.fixedOpaque(body))));
        const found = parse(cut(bytes, sizes));
        expect(found.map(({ program, procedure, type, serial, status }) => ({ program, procedure, type, serial, status }))).toEqual(
          messages.map(({ header }) => header),
        );
        expect(found.map(({ body }, i) => body.subarray(0, messages[i]?.body.length))).toEqual(
          messages.map(({ body }) => Buffer.from(body)),
        );
      }),
    );
  });

  it.each([0, 4, 27, 33_554_437, 0xffff_ffff])('refuses a message of %i bytes', (length) => {
    const bytes = Buffer.alloc(28);
    bytes.writeUInt32BE(length);
    expect(() => parse([bytes])).toThrow(expect.objectContaining({ kind: 'protocol' }));
  });

  it('joins a large message in time that grows with its size only', () => {
    const body = Buffer.alloc(16_000_000, 7);
    const frame = encodeFrame({ program: 1, procedure: 1, type: 3, serial: 1, status: 2 }, (encoder) => encoder.fixedOpaque(body));
    const start = performance.now();
    const [found] = parse(cut(frame, [4096]));
    expect(found?.body.equals(body)).toBe(true);
    // Joining at every piece would copy 30 GB.
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
