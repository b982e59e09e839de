import { describe, expect, it } from 'vitest';
import { badTexts } from './refuse-bad-text.ts';

describe('badTexts', () => {
  it.each([
    [{ params: { id: 'a\0' } }, '/params/id', 'contains a NUL character'],
    [{ body: { tags: ['fine', '\ud800'] } }, '/body/tags/1', 'contains half a character (a lone surrogate)'],
    [{ body: { 'a/b~c': '\0' } }, '/body/a~1b~0c', 'contains a NUL character'],
    [{ body: { deep: { 'x\0': 1 } } }, '/body/deep', 'has a field whose name contains a NUL character'],
  ])('of %j are named by where they stand', (root, pointer, message) => {
    expect(badTexts(root)).toEqual([{ pointer, message }]);
  });

  it.each([[undefined], [null], [7], [{}], [[]], [{ a: 'ordinary', b: ['😀', 'é', '\u007f', ''], c: null, d: { e: true } }]])(
    'are none in %j',
    (root) => {
      expect(badTexts(root)).toEqual([]);
    },
  );

  it('are found at a depth that no stack reaches, and no more of them than one reads', () => {
    let nested: unknown = '\0';
    for (let depth = 0; depth < 20_000; depth += 1) nested = [nested];
    expect(badTexts(nested)).toHaveLength(1);
    expect(badTexts(Array.from({ length: 5000 }, () => '\0'))).toHaveLength(10);
  });
});
