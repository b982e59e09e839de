import { open } from 'node:fs/promises';
import type { DiskFormat } from '../../workflows/contract/image-source.ts';

const headerBytes = 104;
const has = (header: Buffer, offset: number, magic: Buffer): boolean => header.subarray(offset, offset + magic.length).equals(magic);

/** How a file of each format begins. Raw has no such mark: anything may be a raw disk. */
const marks: Readonly<Record<Exclude<DiskFormat, 'raw'>, { readonly offset: number; readonly magic: Buffer }>> = {
  qcow2: { offset: 0, magic: Buffer.from('QFI\xfb', 'latin1') },
  vmdk: { offset: 0, magic: Buffer.from('KDMV', 'latin1') },
  vdi: { offset: 0x40, magic: Buffer.from([0x7f, 0x10, 0xda, 0xbe]) },
  vhdx: { offset: 0, magic: Buffer.from('vhdxfile', 'latin1') },
};

/** What a header says that alone is reason enough not to let any tool follow it to other files. */
const ownFaults: Readonly<Partial<Record<DiskFormat, (header: Buffer) => string | undefined>>> = {
  // docs/interop/qcow2.txt: backing_file_offset at 8, incompatible_features at 72 from version 3 on.
  qcow2: (header) => {
    if (header.readBigUInt64BE(8) !== 0n) return 'it needs another file; flatten it first: qemu-img convert';
    const features = header.readUInt32BE(4) >= 3 ? header.readBigUInt64BE(72) : 0n;
    return (features & 4n) === 0n ? undefined : 'it keeps its data in another file; flatten it first: qemu-img convert';
  },
  // A sparse extent of capacity 0 holds nothing but a descriptor, and that names the files to read.
  vmdk: (header) =>
    header.readBigUInt64LE(12) === 0n ? 'it is only a description of other files; give the disk as one file: qemu-img convert' : undefined,
};

/**
 * Looks at the first bytes of a disk before any tool opens it.
 * @returns what is wrong with it, for people; undefined where nothing is
 */
export async function headerFault(path: string, format: DiskFormat): Promise<string | undefined> {
  const header = await readHeader(path);
  if (format === 'raw') {
    // A guest can have written such a header into its own raw disk, for whoever guesses formats later.
    const hidden = Object.entries(marks).find(([, { offset, magic }]) => has(header, offset, magic));
    return hidden && `it is said to be raw, but begins like ${hidden[0]}; say the format that it has`;
  }
  const { offset, magic } = marks[format];
  if (!has(header, offset, magic)) return `it is said to be ${format}, but does not begin like one`;
  return ownFaults[format]?.(header);
}

/** The first bytes, zeros where the file is shorter. */
async function readHeader(path: string): Promise<Buffer> {
  await using file = await open(path);
  const header = Buffer.alloc(headerBytes);
  await file.read(header, 0, headerBytes, 0);
  return header;
}
