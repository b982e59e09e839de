import { createHash, type Hash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { sourceOf } from '../../archives/byte-reader.ts';
import { applyLayer, type Unpacking } from './apply-layer.ts';
import type { Archive } from './archive.ts';
import type { Layer } from './choose-image.ts';
import { asRefusal, bounded, decompressorOf, packedBytes } from './decompress.ts';
import { wrongDigest } from './refusals.ts';

/**
 * Decompresses a layer, lays it upon those below and checks both of its digests, all in one pass.
 * @param index its number, the lowest being 0
 * @throws CloudletError `checksum-mismatch`, `unsafe-image`, `unprocessable-bundle`, `capacity-exhausted` (disk)
 */
export async function unpackLayer(unpacking: Unpacking, archive: Archive, { member, digest, diffId }: Layer, index: number): Promise<void> {
  const { contents, limits, signal } = unpacking;
  const packed = { file: archive.file, ...member };
  const ofPacked = createHash('sha256');
  const ofPlain = createHash('sha256');
  try {
    await pipeline(
      hashed(packedBytes(packed), ofPacked),
      await decompressorOf(packed, signal),
      (plain: AsyncIterable<Buffer>) => applyLayer(unpacking, sourceOf(hashed(bounded(plain, packed, contents, limits), ofPlain)), index),
      { signal },
    );
  } catch (error) {
    throw asRefusal(error);
  }
  const found = digestOf(ofPacked);
  if (digest !== undefined && found !== digest) throw wrongDigest(`layer ${index + 1}`, digest, found);
  const foundPlain = digestOf(ofPlain);
  if (foundPlain !== diffId) throw wrongDigest(`layer ${index + 1}, unpacked,`, diffId, foundPlain);
}

const digestOf = (hash: Hash): string => `sha256:${hash.digest('hex')}`;

async function* hashed(pieces: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    hash.update(piece);
    yield piece;
  }
}
