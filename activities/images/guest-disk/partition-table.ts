/** Bytes of a sector, the unit of every address in a partition table. */
export const sectorBytes = 512;

export interface Partition {
  /** System id, e.g. 0x0e FAT16 (LBA), 0x83 Linux. */
  readonly type: number;
  /** The BIOS boots from this one. */
  readonly active: boolean;
  readonly firstSector: number;
  readonly sectorCount: number;
}

const bootCodeBytes = 440;
const signatureOffset = 440;
const tableOffset = 446;
const entryBytes = 16;
const maximumPartitions = 4;
/** Cylinder, head and sector that say "use the sector numbers instead". */
const beyondChs = [0xfe, 0xff, 0xff];

/**
 * The first sector of a disk: boot code, disk signature and partition table, in the layout of the IBM PC.
 * @param bootCode at most 440 bytes
 * @throws RangeError when something does not fit
 */
export function masterBootRecord(bootCode: Uint8Array, diskSignature: number, partitions: readonly Partition[]): Uint8Array {
  if (bootCode.length > bootCodeBytes) throw new RangeError(`Boot code of ${bootCode.length} bytes is longer than ${bootCodeBytes}.`);
  if (partitions.length > maximumPartitions) throw new RangeError(`${partitions.length} partitions are more than ${maximumPartitions}.`);
  const record = new Uint8Array(sectorBytes);
  const view = new DataView(record.buffer);
  record.set(bootCode);
  view.setUint32(signatureOffset, diskSignature, true);
  for (const [index, partition] of partitions.entries()) {
    const entry = tableOffset + index * entryBytes;
    record.set([partition.active ? 0x80 : 0, ...beyondChs, partition.type, ...beyondChs], entry);
    view.setUint32(entry + 8, partition.firstSector, true);
    view.setUint32(entry + 12, partition.sectorCount, true);
  }
  record.set([0x55, 0xaa], sectorBytes - 2);
  return record;
}
