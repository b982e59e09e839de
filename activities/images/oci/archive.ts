import { createWriteStream } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { CloudletError } from '../../../workflows/contract/errors.ts';
import { readable } from '../../archives/archive-faults.ts';
import { sourceOfFile } from '../../archives/byte-reader.ts';
import { readTar } from '../../archives/read-tar.ts';
import { asRefusal, bounded, compressionOf, decompressorOf, packedBytes } from './decompress.ts';
import { tarRules, unprocessable } from './refusals.ts';
import type { UnpackLimits } from './unpack-limits.ts';

/** A file inside an archive, by where it lies. */
export interface Member {
  readonly name: string;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** An uncompressed archive, open for reading: its files, by name. Nothing of it is ever written by that name. */
export interface Archive extends AsyncDisposable {
  readonly file: FileHandle;
  find(name: string): Member | undefined;
  /** @throws CloudletError when it is missing or not of that shape */
  json<Schema extends TSchema>(name: string, schema: Schema): Promise<Static<Schema>>;
  read(member: Member): Promise<Buffer>;
}

const maximumLinks = 8;

/**
 * @param folder where an archive that is compressed as a whole is unpacked to
 * @throws CloudletError when it cannot be read
 */
export async function openArchive(path: string, folder: string, limits: UnpackLimits, signal: AbortSignal): Promise<Archive> {
  const given = await open(path).catch((cause: NodeJS.ErrnoException) => {
    throw new CloudletError(
      'not-found',
      `The file ${path} of this host cannot be read (${cause.code}). Put it into the import folder first.`,
    );
  });
  return listArchive(await uncompressed(given, folder, limits, signal), limits);
}

/** `docker save app | gzip` is common, and what is compressed as a whole cannot be read out of order. */
async function uncompressed(file: FileHandle, folder: string, limits: UnpackLimits, signal: AbortSignal): Promise<FileHandle> {
  let unpackedPath: string;
  try {
    const packed = { file, offset: 0, sizeBytes: (await file.stat()).size };
    if ((await compressionOf(packed)) === undefined) return file;
    unpackedPath = join(folder, 'archive.tar');
    const target = createWriteStream(unpackedPath, { mode: 0o600 });
    const guarded = (plain: AsyncIterable<Buffer>) => bounded(plain, packed, folder, limits);
    await pipeline(packedBytes(packed), await decompressorOf(packed, signal), guarded, target, { signal });
  } catch (error) {
    await file.close();
    throw asRefusal(error);
  }
  await file.close();
  const unpacked = await open(unpackedPath);
  // Its room is free as soon as it is closed.
  await rm(unpackedPath);
  return unpacked;
}

async function listArchive(handle: FileHandle, limits: UnpackLimits): Promise<Archive> {
  try {
    const { size } = await handle.stat();
    const { members, links } = await listMembers(handle, size, limits);

    /** Old versions of Docker write a link where a layer is the same as another. */
    const find = (name: string): Member | undefined => {
      let wanted = posix.normalize(name);
      for (let count = 0; count < maximumLinks; count += 1) {
        const target = links.get(wanted);
        if (target === undefined) return members.get(wanted);
        wanted = posix.normalize(posix.join(posix.dirname(wanted), target));
      }
      throw unprocessable(`links in the archive lead in a circle, by ${readable(name)}`);
    };
    const read = async (member: Member): Promise<Buffer> => {
      if (member.sizeBytes > limits.jsonBytes) throw unprocessable(`${readable(member.name)} has ${member.sizeBytes} bytes`);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(member.sizeBytes), 0, member.sizeBytes, member.offset);
      return buffer.subarray(0, bytesRead);
    };
    const json: Archive['json'] = async (name, schema) => {
      const member = find(name);
      if (!member) throw unprocessable(`${readable(name)} is missing in the archive`);
      return parseJson(await read(member), name, schema);
    };
    return { file: handle, find, read, json, [Symbol.asyncDispose]: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

export function parseJson<Schema extends TSchema>(text: Buffer, name: string, schema: Schema): Static<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text.toString('utf8'));
  } catch (cause) {
    throw unprocessable(`${readable(name)} is not JSON (${(cause as Error).message.slice(0, 200)})`, cause);
  }
  if (Value.Check(schema, value)) return value;
  const [first] = Value.Errors(schema, value);
  throw unprocessable(`${readable(name)} is not what it should be: ${first?.instancePath || 'it'} ${first?.message ?? 'is wrong'}`);
}

async function listMembers(handle: FileHandle, archiveBytes: number, limits: UnpackLimits) {
  const members = new Map<string, Member>();
  const links = new Map<string, string>();
  let count = 0;
  for await (const { kind, name: given, linkName, offset, sizeBytes } of readTar(sourceOfFile(handle), tarRules(limits))) {
    count += 1;
    if (count > limits.archiveMembers) throw unprocessable(`the archive holds more than ${limits.archiveMembers} files`);
    const name = posix.normalize(given);
    if (members.has(name) || links.has(name)) throw unprocessable(`the archive holds ${readable(name)} twice`);
    if (kind === 'symlink' || kind === 'hard-link') links.set(name, linkName);
    if (kind !== 'file') continue;
    if (offset + sizeBytes > archiveBytes) throw unprocessable('it ends in the middle; it was not copied whole');
    members.set(name, { name, offset, sizeBytes });
  }
  if (count === 0) throw unprocessable('it is empty');
  return { members, links };
}
