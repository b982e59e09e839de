import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderParts } from './order-parts.ts';

describe('orderParts', () => {
  it('puts each part after those that it needs', () => {
    // Needs point to earlier numbers only, so that there is no circle.
    const graph = fc.array(fc.array(fc.nat({ max: 20 }), { maxLength: 4 }), { maxLength: 20 });
    fc.assert(
      fc.property(graph, fc.nat(), (needs, rotation) => {
        const parts = needs.map((list, index) => ({
          name: `p${index}`,
          needs: list.filter((need) => need < index).map((need) => `p${need}`),
        }));
        const turned = [...parts.slice(rotation % (parts.length + 1)), ...parts.slice(0, rotation % (parts.length + 1))];
        const names = orderParts(turned).map(({ name }) => name);
        expect(names.toSorted()).toEqual(parts.map(({ name }) => name).toSorted());
        for (const part of parts) {
          for (const need of part.needs) expect(names.indexOf(need)).toBeLessThan(names.indexOf(part.name));
        }
      }),
    );
  });

  it('says what is wrong with a plan', () => {
    expect(() => orderParts([{ name: 'a' }, { name: 'a' }])).toThrow('Two parts have the same name.');
    expect(() => orderParts([{ name: 'a', needs: ['b'] }])).toThrow('The part a needs b, which is not there.');
    expect(() =>
      orderParts([
        { name: 'a', needs: ['b'] },
        { name: 'b', needs: ['a'] },
      ]),
    ).toThrow('Parts need each other: a → b → a.');
  });
});
