/** @returns the first dotted number in what a program prints about itself */
export const versionIn = (text: string): string | undefined => /\d+\.\d+(\.\d+)*/.exec(text)?.[0];

/** Compares dotted numbers. @returns whether `version` is `oldest` or newer */
export function isAtLeast(version: string, oldest: string): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, least] of oldest.split('.').map(Number).entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}
