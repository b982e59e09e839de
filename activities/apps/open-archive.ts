import { buffer } from 'node:stream/consumers';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { bytesPerGib, bytesPerMib, formatBytes } from '../../workflows/contract/units.ts';
import { refusedApp } from './refused-app.ts';

const limits = {
  entries: 100_000,
  unpackedBytes: 8 * bytesPerGib,
  /** Beyond `unpackedBytesAlways`: how much larger than the file its content may be. */
  ratio: 100,
  unpackedBytesAlways: 64 * bytesPerMib,
} as const;
/** Of a local header: what every entry takes besides its name and its bytes. */
const headerBytes = 30;

/** A ZIP archive that was looked through from end to end. */
export interface Archive extends AsyncDisposable {
  readonly names: readonly string[];
  /**
   * @returns what an entry holds, undefined where there is none of this name
   * @throws CloudletError `unprocessable-app` where it is larger than `maximumBytes`
   */
  read(name: string, maximumBytes: number): Promise<Buffer | undefined>;
}

/**
 * Opens an archive of a stranger after a look at each entry of its directory: names that lead elsewhere or come twice,
 * entries that lie over each other, and more than any app holds are refused before anything is unpacked.
 * @throws CloudletError `unprocessable-app`
 */
export async function openArchive(path: string): Promise<Archive> {
  const zip = await openPromise(path, { autoClose: false, strictFileNames: true }).catch((error: Error) => {
    throw refusedApp(`it is not a ZIP archive, or not all of one (${error.message})`, error);
  });
  try {
    const entries = await readDirectory(zip);
    return {
      names: [...entries.keys()],
      read: (name, maximumBytes) => readEntry(zip, entries.get(name), maximumBytes),
      [Symbol.asyncDispose]: async () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function readDirectory(zip: ZipFile): Promise<ReadonlyMap<string, Entry>> {
  const entries = new Map<string, Entry>();
  let unpackedBytes = 0;
  let packedBytes = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      if (entries.has(entry.fileName)) throw refusedApp(`it has "${entry.fileName}" twice`);
      entries.set(entry.fileName, entry);
      unpackedBytes += entry.uncompressedSize;
      packedBytes += entry.compressedSize + entry.fileNameLength + headerBytes;
      if (entries.size > limits.entries) throw refusedApp(`it has more than ${limits.entries} entries`);
      if (packedBytes > zip.fileSize) throw refusedApp('its entries lie over each other');
      const allowedBytes = Math.min(limits.unpackedBytes, Math.max(limits.unpackedBytesAlways, limits.ratio * zip.fileSize));
      if (unpackedBytes > allowedBytes)
        throw refusedApp(`it unpacks to more than ${formatBytes(allowedBytes)}, which no app of ${formatBytes(zip.fileSize)} does`);
    }
  } catch (error) {
    if (error instanceof Error && error.name !== 'CloudletError') throw refusedApp(`its directory is damaged (${error.message})`, error);
    throw error;
  }
  return entries;
}

async function readEntry(zip: ZipFile, entry: Entry | undefined, maximumBytes: number): Promise<Buffer | undefined> {
  if (!entry) return undefined;
  if (entry.uncompressedSize > maximumBytes) throw refusedApp(`"${entry.fileName}" is larger than ${formatBytes(maximumBytes)}`);
  try {
    // yauzl ends the stream with an error where more comes out than the directory says.
    return await buffer(await zip.openReadStreamPromise(entry));
  } catch (error) {
    throw refusedApp(`"${entry.fileName}" cannot be unpacked (${(error as Error).message})`, error);
  }
}
