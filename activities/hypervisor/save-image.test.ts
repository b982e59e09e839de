import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSaveImageHeader, readSavedXml, saveImageHeaderBytes, withSavedXml } from './save-image.ts';

interface Fields {
  readonly version: number;
  readonly areaBytes: number;
  readonly wasRunning: number;
  readonly compression: number;
  readonly cookieOffset: number;
}

/** The header as libvirt writes it. */
function headerOf(fields: Partial<Fields> & Pick<Fields, 'areaBytes'>): Buffer {
  const { version = 2, areaBytes, wasRunning = 1, compression = 0, cookieOffset = 0 } = fields;
  const header = Buffer.alloc(saveImageHeaderBytes);
  header.write('LibvirtQemudSave', 'latin1');
  [version, areaBytes, wasRunning, compression, cookieOffset].forEach((value, index) => header.writeUInt32LE(value, 16 + 4 * index));
  return header;
}

/** A header with its area: XML, and a cookie where there is one. */
function savedGuest(xml: string, cookie: string | undefined): { header: Buffer; area: Buffer } {
  const text = Buffer.from(`${xml}\0`);
  const area = cookie === undefined ? text : Buffer.concat([text, Buffer.from(`${cookie}\0`)]);
  return { header: headerOf({ areaBytes: area.length, ...(cookie === undefined ? {} : { cookieOffset: text.length }) }), area };
}

const xmlText = fc.string({ unit: 'grapheme', maxLength: 400 }).map((text) => `<domain>${text.replaceAll('\0', '')}</domain>`);
const cookieText = fc.option(
  fc.string({ unit: 'grapheme', maxLength: 400 }).map((text) => `<qemu>${text.replaceAll('\0', '')}</qemu>`),
  {
    nil: undefined,
  },
);

/** What is made of a header: that it is sound, or why not. */
function outcomeOf(header: Buffer): string {
  try {
    const { areaBytes, cookieOffset } = parseSaveImageHeader(header);
    return areaBytes <= 1024 * 1024 && cookieOffset <= areaBytes ? 'sound' : 'taken, though it cannot be';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('a saved guest', () => {
  it('has its XML replaced and keeps everything else, whatever the sizes', () => {
    fc.assert(
      fc.property(xmlText, xmlText, cookieText, (before, after, cookie) => {
        const { header, area } = savedGuest(before, cookie);
        expect(readSavedXml(parseSaveImageHeader(header), area)).toBe(before);

        const rewritten = withSavedXml(header, area, after);
        const parsed = parseSaveImageHeader(rewritten);
        const newArea = rewritten.subarray(saveImageHeaderBytes);
        expect(newArea.length).toBe(parsed.areaBytes);
        expect(readSavedXml(parsed, newArea)).toBe(after);
        expect(cookie === undefined ? parsed.cookieOffset : newArea.toString('utf8', parsed.cookieOffset)).toBe(
          cookie === undefined ? 0 : `${cookie}\0`,
        );
        expect(rewritten.readUInt32LE(24), 'was running').toBe(1);
        expect(withSavedXml(rewritten, newArea, before)).toEqual(Buffer.concat([header, area]));
      }),
    );
  });

  it('ends its XML where the cookie begins, when nothing else ends it', () => {
    const xml = '<domain/>';
    const area = Buffer.from(`${xml}<cookie/>`);
    const header = headerOf({ areaBytes: area.length, cookieOffset: xml.length });
    expect(readSavedXml(parseSaveImageHeader(header), area)).toBe(xml);
  });

  it.each([
    ['an empty file', Buffer.alloc(0), 'Not a saved guest'],
    ['a file that ends in its header', headerOf({ areaBytes: 100 }).subarray(0, 91), 'Not a saved guest'],
    ['a disk', Buffer.concat([Buffer.from('QFI\xfb', 'latin1'), Buffer.alloc(200)]), 'Not a saved guest'],
    ['a save that libvirt did not finish', Buffer.concat([Buffer.from('LibvirtQemudPart'), Buffer.alloc(76)]), 'Not a saved guest'],
    ['another version', headerOf({ version: 3, areaBytes: 100 }), 'format 3'],
    ['the other byte order', headerOf({ version: 0x0200_0000, areaBytes: 100 }), 'format 33554432'],
    ['compression', headerOf({ areaBytes: 100, compression: 2 }), 'compression'],
    ['no XML', headerOf({ areaBytes: 0 }), 'damaged header'],
    ['more XML than any guest has', headerOf({ areaBytes: 0xffff_ffff }), 'damaged header'],
    ['a cookie beyond its area', headerOf({ areaBytes: 100, cookieOffset: 101 }), 'damaged header'],
  ])('is refused as %s, saying so', (_, header, message) => {
    expect(() => parseSaveImageHeader(header)).toThrow(message);
  });

  it('never reads beyond what was given, nor fails but with words, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, withMagic) => {
        const header = Buffer.from(bytes);
        if (withMagic) header.write('LibvirtQemudSave', 'latin1');
        expect(outcomeOf(header)).toMatch(/^(sound|Not a saved guest|Saved guest)/);
      }),
    );
  });
});
