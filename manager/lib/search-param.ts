/** What follows the `?`, as Next hands it to pages. */
export type SearchParams = Promise<Record<string, string | string[] | undefined>>;

/** The value, if it is one of those allowed: anybody can write anything into a URL. */
export function oneOf<Value extends string>(allowed: readonly Value[], given: string | string[] | undefined): Value | undefined {
  return allowed.find((value) => value === given);
}
