import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { cpioArchive, type CpioEntry } from './cpio-archive.ts';

/** What a guest's first file system is made of, besides the kernel's modules. */
export interface FirstPrograms {
  /** The statically linked program. */
  readonly busybox: Uint8Array;
  /** The script that the kernel starts. */
  readonly init: Uint8Array;
  readonly extraEntries?: readonly CpioEntry[];
}

const emptyDirectories = ['bin', 'dev', 'lib', 'lib/modules', 'proc', 'root', 'sys'];

/**
 * The first file system of a guest: busybox, modules, and the script that the kernel starts.
 * @param modules file name and content, in load order
 */
export async function initramfs(
  { busybox, init, extraEntries = [] }: FirstPrograms,
  modules: ReadonlyMap<string, Uint8Array>,
): Promise<Uint8Array> {
  const loadOrder = [...modules.keys()].map((name) => `/lib/modules/${name}\n`).join('');
  const entries: CpioEntry[] = [
    ...emptyDirectories.map((path) => ({ kind: 'directory', path }) as const),
    { kind: 'file', path: 'bin/busybox', content: busybox, executable: true },
    { kind: 'file', path: 'init', content: init, executable: true },
    { kind: 'file', path: 'lib/modules/load-order', content: Buffer.from(loadOrder), executable: false },
    ...[...modules].map(([name, content]) => ({ kind: 'file', path: `lib/modules/${name}`, content, executable: false }) as const),
    ...extraEntries,
  ];
  return promisify(gzip)(cpioArchive(entries), { level: 9 });
}
