import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pickPort } from './ports.ts';

describe('pickPort', () => {
  it('finds a free port in the range as long as there is one', () => {
    const range = fc.tuple(fc.integer({ min: 1, max: 65_000 }), fc.integer({ min: 0, max: 50 }));
    fc.assert(
      fc.property(range, fc.func(fc.boolean()), ([first, size], takenAt) => {
        const last = first + size;
        const taken = (port: number) => takenAt(port - first);
        const free = Array.from({ length: size + 1 }, (_, index) => first + index).filter((port) => !taken(port));
        fc.pre(free.length > 0);
        expect(free).toContain(pickPort({ first, last }, taken));
      }),
    );
  });

  it('says how many there are when all are taken', () => {
    expect(() => pickPort({ first: 20_000, last: 20_009 }, () => true)).toThrow(
      expect.objectContaining({
        code: 'capacity-exhausted',
        message: expect.stringContaining('All 10 host ports for guests (20000-20009)'),
        facts: { resource: 'port', needed: 1, free: 0 },
      }),
    );
  });

  it('does not give the same port to everybody in turn', () => {
    const picked = new Set(Array.from({ length: 50 }, () => pickPort({ first: 1, last: 10_000 }, () => false)));
    expect(picked.size).toBeGreaterThan(40);
  });
});
