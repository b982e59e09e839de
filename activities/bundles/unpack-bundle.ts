import { readFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { BundleContents, UnpackedBundle, UnpackInput } from './bundle-contents.ts';
import { compressionOf, decompress } from './compression.ts';
import { CsvmContents } from './csvm-contents.ts';
import { guardExpansion } from './guard-expansion.ts';
import { requireSpace } from './hashed-file.ts';
import type { Observer } from './observer.ts';
import { isOvf, OvaContents } from './ova-contents.ts';
import { readChunks } from './read-chunks.ts';
import { readMembers, type TarMember } from './read-members.ts';
import { refuse } from './refuse.ts';

/**
 * Takes a bundle apart: reads it once, writes each disk once, and hashes it on the way. What it refuses may have left
 * files in the folder, which the caller removes.
 * @throws CloudletError `unprocessable-bundle`, `checksum-mismatch`, `capacity-exhausted`, `not-found`
 */
export const unpackBundle = (input: UnpackInput, observer: Observer): Promise<UnpackedBundle> =>
  unpack(input, observer, ({ name }) => (isOvf(name) ? new OvaContents(input) : new CsvmContents(input)));

/** The same of an OVA whose disk alone is wanted. */
export const unpackOva = (input: Pick<UnpackInput, 'file' | 'folder'>, observer: Observer): Promise<UnpackedBundle> =>
  unpack(input, observer, ({ name }) => {
    if (!isOvf(name)) throw refuse(`it begins with "${name}", and an OVA with its OVF`);
    return new OvaContents(input);
  });

async function unpack(
  { file: path, folder }: Pick<UnpackInput, 'file' | 'folder'>,
  { signal, onBytes }: Observer,
  contentsOf: (first: TarMember) => BundleContents,
): Promise<UnpackedBundle> {
  const file = await openBundle(path);
  try {
    const { size } = await file.stat();
    await requireSpace(folder, size);
    const compression = await compressionOf(file);
    const chunks = compression === 'none' ? readChunks(file, signal) : decompress(file, compression, signal);
    const read = compression === 'none' ? undefined : () => positionOf(file);
    let contents: BundleContents | undefined;
    const counted = observed(chunks, (done) => onBytes(read?.() ?? done, size));
    for await (const member of readMembers(guardExpansion(counted, size))) {
      contents ??= contentsOf(member);
      await contents.take(member, member.content());
    }
    if (!contents) throw refuse('it is empty');
    return await contents.finish();
  } finally {
    await file.close();
  }
}

async function openBundle(path: string): Promise<FileHandle> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new CloudletError('not-found', `The bundle ${path} cannot be read (${error.code}). Put it into the import folder first.`);
  });
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw refuse('it is not a file');
}

async function* observed(chunks: AsyncIterable<Buffer>, onBytes: (done: number) => void): AsyncGenerator<Buffer, void> {
  let done = 0;
  for await (const chunk of chunks) {
    done += chunk.length;
    onBytes(done);
    yield chunk;
  }
}

/** How far the program that unpacks has read: its standard input is this very file, position and all. */
function positionOf({ fd }: FileHandle): number | undefined {
  const [, position] = /^pos:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
  return position === undefined ? undefined : Number(position);
}
