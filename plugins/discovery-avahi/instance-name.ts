/** DNS-SD instance names. Pure. */

/** Of a DNS label (RFC 6763 §4.1.1). */
const maximumBytes = 63;

function truncateToBytes(text: string, bytes: number): string {
  let kept = '';
  for (const character of text) {
    if (Buffer.byteLength(kept + character) > bytes) break;
    kept += character;
  }
  return kept;
}

/**
 * The name to try after n − 1 collisions: `host`, `host-2`, `host-3`, … Without a space, unlike Avahi's own `host #2`:
 * stock phones take the last space-separated word for the cloudlet's name.
 */
export function nthInstanceName(wished: string, n: number): string {
  const suffix = n === 1 ? '' : `-${n}`;
  return truncateToBytes(wished, maximumBytes - suffix.length) + suffix;
}
