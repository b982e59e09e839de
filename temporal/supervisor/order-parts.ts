import type { Part } from './part.ts';

type Named = Pick<Part<object>, 'name' | 'needs'>;

/**
 * Sorts parts so that each comes after those that it needs.
 *
 * @throws Error where a name is taken twice, a need is not there, or parts need each other in a circle: a mistake in the code
 */
export function orderParts<P extends Named>(parts: readonly P[]): readonly P[] {
  const byName = new Map(parts.map((part) => [part.name, part]));
  if (byName.size !== parts.length) throw new Error('Two parts have the same name.');
  const ordered: P[] = [];
  const place = (part: P, path: readonly string[]): void => {
    if (ordered.includes(part)) return;
    if (path.includes(part.name)) throw new Error(`Parts need each other: ${[...path, part.name].join(' → ')}.`);
    for (const need of part.needs ?? []) {
      const needed = byName.get(need);
      if (!needed) throw new Error(`The part ${part.name} needs ${need}, which is not there.`);
      place(needed, [...path, part.name]);
    }
    ordered.push(part);
  };
  for (const part of parts) place(part, []);
  return ordered;
}
