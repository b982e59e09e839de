/** DNS-SD TXT records as D-Bus carries them: an array of `key=value` byte strings. Pure. */

export const encodeTxt = (txt: Readonly<Record<string, string>>): Buffer[] =>
  Object.entries(txt).map(([key, value]) => Buffer.from(`${key}=${value}`));

/** Of a key that comes twice the first counts, and a key without a value has an empty one (RFC 6763 §6.4). */
export function decodeTxt(strings: readonly Buffer[]): Record<string, string> {
  const pairs = strings.map((bytes): readonly [string, string] => {
    const text = bytes.toString('utf8');
    const equals = text.indexOf('=');
    return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
  });
  return Object.fromEntries(pairs.filter(([key]) => key !== '').toReversed());
}
