import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeTxt, encodeTxt } from './txt-record.ts';

const strings = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text));

describe('TXT records', () => {
  it('are one key=value string per key', () => {
    expect(encodeTxt({ encryption: 'disabled' })).toEqual(strings('encryption=disabled'));
  });

  it('come back as they went', () => {
    const key = fc.stringMatching(/^[ -<>-~]{1,9}$/);
    fc.assert(
      fc.property(fc.dictionary(key, fc.string()), (txt) => {
        expect(decodeTxt(encodeTxt(txt))).toEqual({ ...txt });
      }),
    );
  });

  it('are read from strangers without trust', () => {
    expect(decodeTxt(strings('flag', 'a=1', 'a=2', '=nothing', 'b=x=y', '', '__proto__=evil'))).toEqual(
      Object.fromEntries([
        ['flag', ''],
        ['a', '1'],
        ['b', 'x=y'],
        ['__proto__', 'evil'],
      ]),
    );
  });
});
