import { open, type FileHandle } from 'node:fs/promises';

const endOfDirectory = 0x0605_4b50;
const endOfDirectoryBytes = 22;
const longestComment = 0xffff;
const magic = 'APK Sig Block 42';
const footerBytes = 8 + magic.length;
/** Of APK Signature Scheme v2, v3 and v3.1 (source.android.com, "APK signature scheme"). */
const schemes = new Set([0x7109_871a, 0xf053_68c0, 0x1b93_ad61]);
/** There are two or three; a stranger might claim millions. */
const maximumPairs = 64;

/** Whether an APK carries a signature of scheme 2 or later, before its ZIP directory. Whether it is a good one, the phone says. */
export async function hasSigningBlock(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const directoryAt = await findDirectory(file);
    if (directoryAt === undefined || directoryAt < footerBytes) return false;
    const footer = await readAt(file, directoryAt - footerBytes, footerBytes);
    const size = Number(footer.readBigUInt64LE(0));
    if (footer.toString('latin1', 8) !== magic || size < footerBytes || size + 8 > directoryAt) return false;
    return await holdsScheme(file, directoryAt - size, directoryAt - footerBytes);
  } finally {
    await file.close();
  }
}

async function holdsScheme(file: FileHandle, from: number, to: number): Promise<boolean> {
  let at = from;
  for (let pair = 0; pair < maximumPairs && at + 12 <= to; pair += 1) {
    const header = await readAt(file, at, 12);
    if (schemes.has(header.readUInt32LE(8))) return true;
    at += 8 + Number(header.readBigUInt64LE(0));
  }
  return false;
}

async function findDirectory(file: FileHandle): Promise<number | undefined> {
  const { size } = await file.stat();
  const start = Math.max(0, size - endOfDirectoryBytes - longestComment);
  const tail = await readAt(file, start, size - start);
  for (let at = tail.length - endOfDirectoryBytes; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) === endOfDirectory) return tail.readUInt32LE(at + 16);
  }
  return undefined;
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
