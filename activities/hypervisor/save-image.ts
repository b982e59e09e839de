/**
 * libvirt's file of a saved QEMU guest: a header, the guest's XML, a cookie, then QEMU's own stream.
 * Layout (libvirt's `src/qemu/qemu_saveimage.h`): 16 bytes magic, then 19 little-endian uint32: version, length of the
 * XML area, was-running, compression, offset of the cookie in the area (0 = none), 14 unused.
 */
export const saveImageHeaderBytes = 92;
const magic = 'LibvirtQemudSave';
const supportedVersion = 2;

export interface SaveImageHeader {
  /** Length of the area that follows the header and holds XML and cookie. QEMU's stream begins behind it. */
  readonly areaBytes: number;
  readonly cookieOffset: number;
}

/** @throws Error when the file is not a saved guest that this code knows */
export function parseSaveImageHeader(header: Buffer): SaveImageHeader {
  if (header.length < saveImageHeaderBytes || header.toString('latin1', 0, magic.length) !== magic) {
    throw new Error('Not a saved guest: the file does not begin as libvirt writes it');
  }
  const field = (index: number): number => header.readUInt32LE(magic.length + 4 * index);
  const [version, areaBytes, compression, cookieOffset] = [field(0), field(1), field(3), field(4)] as [number, number, number, number];
  if (version !== supportedVersion) throw new Error(`Saved guest of format ${version}; this cloudlet reads ${supportedVersion}`);
  if (compression !== 0) throw new Error('Saved guest with compression; this cloudlet saves without');
  if (areaBytes === 0 || areaBytes > maximumAreaBytes || cookieOffset > areaBytes) throw new Error('Saved guest with a damaged header');
  return { areaBytes, cookieOffset };
}

const maximumAreaBytes = 1024 * 1024;

/** @param area the bytes behind the header, `areaBytes` of them */
export function readSavedXml(header: SaveImageHeader, area: Buffer): string {
  const end = area.indexOf(0);
  return area.toString('utf8', 0, end < 0 ? header.cookieOffset || area.length : end);
}

/**
 * Header and area of the same saved guest with another XML. QEMU's stream follows unchanged.
 * @returns the bytes to send before the stream
 */
export function withSavedXml(header: Buffer, area: Buffer, xml: string): Buffer {
  const { cookieOffset } = parseSaveImageHeader(header);
  // libvirt leaves room behind it, so that a longer XML could be written in place.
  const cookieEnd = area.indexOf(0, cookieOffset) + 1;
  const cookie = cookieOffset === 0 ? Buffer.alloc(0) : area.subarray(cookieOffset, cookieEnd || area.length);
  const text = Buffer.from(`${xml}\0`, 'utf8');
  const rewritten = Buffer.concat([header.subarray(0, saveImageHeaderBytes), text, cookie]);
  rewritten.writeUInt32LE(text.length + cookie.length, magic.length + 4);
  rewritten.writeUInt32LE(cookieOffset === 0 ? 0 : text.length, magic.length + 16);
  return rewritten;
}
