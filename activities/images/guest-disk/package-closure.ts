import { CloudletError } from '../../../workflows/contract/errors.ts';

/** Per package its dependencies; each dependency is a list of names, any one of which satisfies it. */
export type DependencyGraph = ReadonlyMap<string, readonly (readonly string[])[]>;

/**
 * Reads what `apt-cache depends --recurse` prints: a package at the line's start, `  Depends: name` below it,
 * ` |Depends: name` when the next one is an alternative, `<name>` for a virtual one with its providers indented below.
 */
export function parseDependencies(output: string): DependencyGraph {
  const graph = new Map<string, string[][]>();
  let groups: string[][] = [];
  let alternativeFollows = false;
  for (const line of output.split('\n')) {
    const dependency = /^ ([ |])(?:Pre)?Depends: (\S+)$/.exec(line);
    const provider = /^ {4}(\S+)$/.exec(line);
    if (dependency) {
      const [, bar, name = ''] = dependency;
      if (!alternativeFollows) groups.push([]);
      if (!name.startsWith('<')) groups.at(-1)?.push(name);
      alternativeFollows = bar === '|';
    } else if (provider?.[1] !== undefined) {
      groups.at(-1)?.push(provider[1]);
    } else if (/^\S/.test(line)) {
      groups = [];
      alternativeFollows = false;
      if (!line.startsWith('<')) graph.set(line.trim(), groups);
    }
  }
  return graph;
}

/**
 * All packages that the roots need, sorted by name. A dependency that an omitted package would satisfy is left out
 * together with what only it would bring.
 * @throws CloudletError when a needed package is not in the graph
 */
export function packageClosure(graph: DependencyGraph, roots: readonly string[], omitted: ReadonlySet<string>): readonly string[] {
  const closure = new Set<string>();
  const pending = [...roots];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (closure.has(name)) continue;
    const dependencies = graph.get(name);
    if (!dependencies) throw unknownPackage(name);
    closure.add(name);
    for (const alternatives of dependencies) {
      if (alternatives.some((alternative) => omitted.has(alternative) || closure.has(alternative))) continue;
      const chosen = alternatives.find((alternative) => graph.has(alternative));
      if (chosen === undefined) throw unknownPackage(`${alternatives.join(' or ')} (needed by ${name})`);
      pending.push(chosen);
    }
  }
  return [...closure].toSorted();
}

export const unknownPackage = (name: string): CloudletError =>
  new CloudletError(
    'image-unavailable',
    `The package lists of this host do not know the Debian package ${name}. They are missing or out of date: run "apt-get update" as root and try again.`,
  );
