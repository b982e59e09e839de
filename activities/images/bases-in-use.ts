import { open, readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { diskPath, imagePath, type HostPaths } from './host-paths.ts';

/** Header of qcow2 (QEMU's docs/interop/qcow2.txt), big-endian: magic, version, offset (u64) and length (u32) of the backing file's name. */
const headerBytes = 20;
const magic = 0x514649fb;
const maximumNameBytes = 1023;

/** Name of the file that a qcow2 disk is a difference to; undefined where it is none, or not readable as a disk. */
export async function backingFile(path: string): Promise<string | undefined> {
  const file = await open(path).catch(() => undefined);
  if (!file) return undefined;
  try {
    const header = Buffer.alloc(headerBytes);
    const { bytesRead } = await file.read(header, 0, headerBytes, 0);
    if (bytesRead < headerBytes || header.readUInt32BE(0) !== magic) return undefined;
    const [offset, length] = [Number(header.readBigUInt64BE(8)), header.readUInt32BE(16)];
    if (offset === 0 || length === 0 || length > maximumNameBytes) return undefined;
    const name = Buffer.alloc(length);
    await file.read(name, 0, length, offset);
    return name.toString('utf8');
  } finally {
    await file.close();
  }
}

/**
 * SHA-256 of the images that disks of instances on this host lie upon, as the disks themselves say: whatever the
 * database thinks, a base is not removed from under an overlay.
 */
export async function basesInUse(paths: HostPaths): Promise<ReadonlySet<string>> {
  const used = new Set<string>();
  const instances = await readdir(paths.instances).catch(() => []);
  for (const serviceVmId of instances) {
    let base = await backingFile(diskPath(paths, serviceVmId));
    while (base !== undefined && !used.has(basename(base))) {
      used.add(basename(base));
      base = await backingFile(imagePath(paths, basename(base)));
    }
  }
  return used;
}
