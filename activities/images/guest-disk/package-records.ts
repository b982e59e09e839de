/** What Debian's package lists say about one package file. */
export interface PackageRecord {
  readonly name: string;
  readonly version: string;
  /** File name in the archive, e.g. `libc6_2.36-9_amd64.deb`. */
  readonly fileName: string;
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Reads the stanzas that `apt-cache show` prints. A stanza without a file (not downloadable) is left out. */
export function parsePackageRecords(output: string): readonly PackageRecord[] {
  return output.split(/\n{2,}/).flatMap((stanza) => {
    const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1]?.trim();
    const name = field('Package');
    const version = field('Version');
    const fileName = field('Filename')?.split('/').at(-1);
    const sha256 = field('SHA256');
    const sizeBytes = Number(field('Size'));
    return name && version && fileName && sha256 && sizeBytes ? [{ name, version, fileName, sizeBytes, sha256 }] : [];
  });
}
