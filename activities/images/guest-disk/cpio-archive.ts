/** An entry of an archive. Parents stand before their children. */
export type CpioEntry =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly content: Uint8Array; readonly executable: boolean }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

const modes = { directory: 0o040755, file: 0o100644, executable: 0o100755, symlink: 0o120777 } as const;
const alignment = 4;

/**
 * A cpio archive in the `newc` format that Linux unpacks as its first file system
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Everything belongs to root and bears no time.
 */
export function cpioArchive(entries: readonly CpioEntry[]): Uint8Array {
  const members = entries.map((entry, index) => member(entry.path, modeOf(entry), contentOf(entry), index + 1));
  return Buffer.concat([...members, member('TRAILER!!!', 0, new Uint8Array(), 0)]);
}

function modeOf(entry: CpioEntry): number {
  return entry.kind === 'file' && entry.executable ? modes.executable : modes[entry.kind];
}

function contentOf(entry: CpioEntry): Uint8Array {
  if (entry.kind === 'directory') return new Uint8Array();
  return entry.kind === 'file' ? entry.content : Buffer.from(entry.target);
}

function member(path: string, mode: number, content: Uint8Array, inode: number): Buffer {
  const name = Buffer.from(`${path}\0`);
  const links = 1;
  const fields = [inode, mode, 0, 0, links, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return Buffer.concat([padded(Buffer.concat([header, name])), padded(content)]);
}

const padded = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & (alignment - 1))]);
