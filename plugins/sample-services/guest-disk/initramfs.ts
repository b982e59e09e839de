import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { cpioArchive, type CpioEntry } from './cpio-archive.ts';

const emptyDirectories = ['bin', 'dev', 'lib', 'lib/modules', 'proc', 'root', 'sys'];

/**
 * The first file system of a guest: busybox, modules, and `initramfs/init`, which mounts the disk's root and goes on there.
 * @param busybox the statically linked program
 * @param modules file name and content, in load order
 */
export async function initramfs(busybox: Uint8Array, modules: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  const init = await readFile(path.join(import.meta.dirname, 'initramfs', 'init'));
  const loadOrder = [...modules.keys()].map((name) => `/lib/modules/${name}\n`).join('');
  const entries: CpioEntry[] = [
    ...emptyDirectories.map((path) => ({ kind: 'directory', path }) as const),
    { kind: 'file', path: 'bin/busybox', content: busybox, executable: true },
    { kind: 'file', path: 'init', content: init, executable: true },
    { kind: 'file', path: 'lib/modules/load-order', content: Buffer.from(loadOrder), executable: false },
    ...[...modules].map(([name, content]) => ({ kind: 'file', path: `lib/modules/${name}`, content, executable: false }) as const),
  ];
  return promisify(gzip)(cpioArchive(entries), { level: 9 });
}
