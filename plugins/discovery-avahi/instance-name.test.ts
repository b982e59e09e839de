import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nthInstanceName } from './instance-name.ts';

describe('nthInstanceName', () => {
  it('takes the name wished for first, then numbers it without a space', () => {
    expect([1, 2, 3, 10].map((n) => nthInstanceName('box', n))).toEqual(['box', 'box-2', 'box-3', 'box-10']);
  });

  it('is a DNS label that ends in its number, whatever was wished', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 }), fc.integer({ min: 1, max: 999 }), (wished, n) => {
        const name = nthInstanceName(wished, n);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
        expect(name.isWellFormed()).toBe(true);
        const wishedPart = n === 1 ? name : name.slice(0, -`-${n}`.length);
        expect(wished.startsWith(wishedPart)).toBe(true);
        expect(n === 1 || name.endsWith(`-${n}`)).toBe(true);
      }),
    );
  });
});
