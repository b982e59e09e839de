/** Names of one enum, and UNKNOWN for the numbers of a newer libvirt. */
export type NameOf<E> = Extract<keyof E, string> | 'UNKNOWN';

/** The name of `value` in an enum object: `enumName(DomainState, 5)` is `'SHUTOFF'`. */
export function enumName<E extends Readonly<Record<string, number>>>(names: E, value: number): NameOf<E> {
  for (const name in names) if (names[name] === value) return name;
  return 'UNKNOWN';
}
