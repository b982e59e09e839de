import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cursorPattern, decodeCursor, encodeCursor } from './cursor.ts';

describe('a cursor', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date(999_999_999_999_999), noInvalidDate: true }), fc.uuid(), (at, id) => {
        const text = encodeCursor({ at, id });
        expect(text).toMatch(new RegExp(cursorPattern));
        expect(decodeCursor(text)).toEqual({ at, id });
      }),
    );
  });

  it.each(['', 'zzz', '2026-01-01', 'AAAA', Buffer.from('1 2').toString('base64url'), Buffer.from('9'.repeat(16)).toString('base64url')])(
    'is refused as %j',
    (text) => {
      expect(() => decodeCursor(text)).toThrow(expect.objectContaining({ code: 'invalid-input' }));
    },
  );

  it('never makes a date that is none', () => {
    const text = Buffer.from('999999999999999 5f1c4f0e-6d9b-4a6e-9a2e-0d3f3f3b8c11').toString('base64url');
    expect(decodeCursor(text).at.getTime()).toBe(999_999_999_999_999);
  });
});
