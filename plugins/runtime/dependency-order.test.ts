import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dependencyOrder, type Dependent } from './dependency-order.ts';

const ids = fc.uniqueArray(fc.stringMatching(/^[a-e][0-9]$/), { maxLength: 12 });

/** Any graph over some ids, with self-loops, cycles and dependencies that nobody has. */
const anyGraph = ids.chain((own) =>
  fc.tuple(
    ...own.map((id) => fc.record({ id: fc.constant(id), dependsOn: fc.uniqueArray(fc.constantFrom(...own, 'nobody'), { maxLength: 4 }) })),
  ),
);

/** A graph without cycles, in an order that helps nobody: each depends on ids that come before it in a hidden order. */
const acyclicGraph = ids.chain((own) =>
  fc
    .tuple(...own.map((id, index) => fc.record({ id: fc.constant(id), dependsOn: fc.subarray(own.slice(0, index)) })))
    .chain((graph) => fc.shuffledSubarray(graph, { minLength: graph.length })),
);

/** Whether following dependencies from one id leads to the other. */
function reaches(graph: readonly Dependent[], from: string, to: string): boolean {
  const next = (id: string): readonly string[] => graph.find((dependent) => dependent.id === id)?.dependsOn ?? [];
  const seen = new Set<string>();
  const queue = [...next(from)];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (id === to) return true;
    if (!seen.has(id)) queue.push(...next(id));
    seen.add(id);
  }
  return false;
}

describe('dependencyOrder', () => {
  it('keeps the order given where nothing depends on anything', () => {
    const order = dependencyOrder(['c', 'a', 'b'].map((id) => ({ id, dependsOn: [] })));
    expect(order).toEqual({ order: ['c', 'a', 'b'], cycles: [] });
  });

  it('puts each after what it depends on, and leaves nothing out', () => {
    fc.assert(
      fc.property(acyclicGraph, (graph) => {
        const { order, cycles } = dependencyOrder(graph);
        expect(cycles).toEqual([]);
        expect(order.toSorted()).toEqual(graph.map(({ id }) => id).toSorted());
        for (const { id, dependsOn } of graph) {
          for (const dependency of dependsOn) expect(order.indexOf(dependency)).toBeLessThan(order.indexOf(id));
        }
      }),
    );
  });

  it('calls a cycle exactly what needs itself, by whatever way', () => {
    fc.assert(
      fc.property(anyGraph, (graph) => {
        const { order, cycles } = dependencyOrder(graph);
        const circular = graph.filter(({ id }) => reaches(graph, id, id)).map(({ id }) => id);
        expect(cycles.flat().toSorted()).toEqual(circular.toSorted());
        expect([...order, ...cycles.flat()].toSorted()).toEqual(graph.map(({ id }) => id).toSorted());
        for (const cycle of cycles) for (const a of cycle) for (const b of cycle) expect(reaches(graph, a, b)).toBe(true);
      }),
    );
  });
});
