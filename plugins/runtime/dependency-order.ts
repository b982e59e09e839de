/** In which order plugins start. Pure. */

export interface Dependent {
  readonly id: string;
  /** Ids that must come before; ids that nobody has are ignored. */
  readonly dependsOn: readonly string[];
}

export interface DependencyOrder {
  /** Ids that are in no cycle: each after everything it depends on, otherwise in the order given. */
  readonly order: readonly string[];
  /** Groups of ids that need each other, so that none of them can come first. */
  readonly cycles: readonly (readonly string[])[];
}

/**
 * Tarjan's strongly connected components: they come out with what they depend on first, and a component of more than one
 * member, or one that needs itself, is a cycle. Ids must be distinct.
 */
export function dependencyOrder(dependents: readonly Dependent[]): DependencyOrder {
  const byId = new Map(dependents.map((dependent) => [dependent.id, dependent]));
  const visited = new Map<string, { readonly index: number; lowest: number }>();
  const open: string[] = [];
  const order: string[] = [];
  const cycles: string[][] = [];

  const visit = ({ id, dependsOn }: Dependent): number => {
    const own = { index: visited.size, lowest: visited.size };
    visited.set(id, own);
    open.push(id);
    for (const dependency of dependsOn) {
      const next = byId.get(dependency);
      if (next === undefined) continue;
      const seen = visited.get(dependency);
      if (seen === undefined) own.lowest = Math.min(own.lowest, visit(next));
      else if (open.includes(dependency)) own.lowest = Math.min(own.lowest, seen.index);
    }
    if (own.lowest === own.index) {
      const component = open.splice(open.indexOf(id));
      if (component.length > 1 || dependsOn.includes(id)) cycles.push(component);
      else order.push(id);
    }
    return own.lowest;
  };

  for (const dependent of dependents) if (!visited.has(dependent.id)) visit(dependent);
  return { order, cycles };
}
