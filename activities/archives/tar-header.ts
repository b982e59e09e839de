import type { ArchiveFaults } from './archive-faults.ts';

export const blockBytes = 512;

/** One header block of a tar archive (POSIX.1-2001 ustar, and GNU's dialect of it), names as bytes, one a character. */
export interface TarHeader {
  /** `0` file, `1` hard link, `2` symbolic link, `5` directory, …; `x`, `g`, `L` and `K` describe the next entry. */
  readonly type: string;
  readonly name: string;
  readonly linkName: string;
  /** Permissions only. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
}

const checksumAt = 148;
const checksumLength = 8;

/** @returns undefined for a block of zeros, which ends an archive */
export function parseTarHeader(block: Buffer, faults: ArchiveFaults): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const number = (start: number, length: number): number => numberIn(block.subarray(start, start + length), faults);
  if (number(checksumAt, checksumLength) !== checksumOf(block)) throw damaged(faults);
  const posix = text(block, 257, 6) === 'ustar';
  const prefix = posix ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  const type = String.fromCharCode(block[156]!);
  return {
    type: type === '\0' || type === '7' ? '0' : type,
    name: prefix === '' ? name : `${prefix}/${name}`,
    linkName: text(block, 157, 100),
    mode: number(100, 8) & 0o7777,
    uid: number(108, 8),
    gid: number(116, 8),
    sizeBytes: number(124, 12),
    mtimeSeconds: number(136, 12),
  };
}

function text(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end === -1 ? length : end);
}

/** Octal digits, or, with the first bit set, a big-endian number as GNU writes those that are too large. */
function numberIn(field: Buffer, faults: ArchiveFaults): number {
  if ((field[0]! & 0x80) !== 0) {
    const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, field[0]! & 0x7f);
    if (!Number.isSafeInteger(value)) throw faults.unprocessable('a number in it is absurd');
    return value;
  }
  const digits = text(field, 0, field.length).trim();
  if (!/^[0-7]*$/.test(digits)) throw damaged(faults);
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

const damaged = ({ unprocessable }: ArchiveFaults) => unprocessable('a header in it is damaged, or it is no tar archive at all');

/** The sum of all bytes, with spaces where the sum itself stands. */
function checksumOf(block: Buffer): number {
  const all = block.reduce((sum, byte) => sum + byte, 0);
  const own = block.subarray(checksumAt, checksumAt + checksumLength).reduce((sum, byte) => sum + byte, 0);
  return all - own + checksumLength * 0x20;
}
