import type { FileHandle } from 'node:fs/promises';
import { bytesPerMib } from '../../workflows/contract/units.ts';

const chunkBytes = bytesPerMib;
const ringSize = 4;

/**
 * The bytes of a file in order, one chunk read ahead. Buffers go round, so that memory does not grow with the file: a
 * chunk stays as it is until three more have been asked for.
 */
export async function* readChunks(file: FileHandle, signal?: AbortSignal): AsyncGenerator<Buffer, void> {
  const ring = Array.from({ length: ringSize }, () => Buffer.allocUnsafeSlow(chunkBytes));
  let position = 0;
  const readInto = (turn: number) => file.read(ring[turn % ringSize]!, 0, chunkBytes, position);
  let ahead = readInto(0);
  try {
    for (let turn = 1; ; turn += 1) {
      const { bytesRead, buffer } = await ahead;
      signal?.throwIfAborted();
      if (bytesRead === 0) return;
      position += bytesRead;
      ahead = readInto(turn);
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    // The caller closes the file next.
    await ahead.catch(() => undefined);
  }
}
