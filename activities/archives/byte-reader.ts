import type { FileHandle } from 'node:fs/promises';
import type { CloudletError } from '../../workflows/contract/errors.ts';
import type { ArchiveFaults } from './archive-faults.ts';

/** Where bytes come from, one piece after the other. */
export interface ByteSource {
  /** @returns undefined at the end */
  next(): Promise<Buffer | undefined>;
  /** Leaves bytes out without reading them; absent where that cannot be done. */
  skip?(bytes: number): void;
  /** Once nobody asks for more. */
  close?(): Promise<void>;
}

export function sourceOf(chunks: AsyncIterable<Buffer>): ByteSource {
  const iterator = chunks[Symbol.asyncIterator]();
  return {
    async next() {
      const { done, value } = await iterator.next();
      return done ? undefined : value;
    },
    async close() {
      await iterator.return?.();
    },
  };
}

const pieceBytes = 64 * 1024;

/** An open file from its beginning, of which parts can be left out at no cost. */
export function sourceOfFile(file: FileHandle): ByteSource {
  let position = 0;
  return {
    async next() {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(pieceBytes), 0, pieceBytes, position);
      position += bytesRead;
      return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
    },
    skip: (bytes) => {
      position += bytes;
    },
  };
}

/** Takes exactly as many bytes from a source as are asked for. */
export class ByteReader {
  readonly #source: ByteSource;
  readonly #faults: ArchiveFaults;
  #rest: Buffer = Buffer.alloc(0);
  #position = 0;

  constructor(source: ByteSource, faults: ArchiveFaults) {
    this.#source = source;
    this.#faults = faults;
  }

  /** How many bytes have been taken or skipped. */
  get position(): number {
    return this.#position;
  }

  /** @returns undefined when the source has ended just here. @throws CloudletError when it ends in the middle */
  async read(bytes: number): Promise<Buffer | undefined> {
    const pieces: Buffer[] = [];
    let missing = bytes;
    while (missing > 0) {
      const piece = await this.#piece(missing);
      if (piece === undefined) {
        if (missing === bytes) return undefined;
        throw this.cutOff();
      }
      pieces.push(piece);
      missing -= piece.length;
    }
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  }

  /** The next bytes, in pieces as they come. */
  async *take(bytes: number): AsyncGenerator<Buffer> {
    for (let missing = bytes; missing > 0;) {
      const piece = await this.#piece(missing);
      if (piece === undefined) throw this.cutOff();
      missing -= piece.length;
      yield piece;
    }
  }

  async skip(bytes: number): Promise<void> {
    const held = Math.min(bytes, this.#rest.length);
    this.#rest = this.#rest.subarray(held);
    this.#position += held;
    const beyond = bytes - held;
    if (beyond > 0 && this.#source.skip) {
      this.#source.skip(beyond);
      this.#position += beyond;
      return;
    }
    for await (const _ of this.take(beyond)) {
      // Left out by reading on.
    }
  }

  /** Like `skip`, where the source may end in the middle. */
  async skipIfThere(bytes: number): Promise<void> {
    for (let missing = bytes; missing > 0;) {
      const piece = await this.#piece(missing);
      if (piece === undefined) return;
      missing -= piece.length;
    }
  }

  /** Reads on to the end: only there a compressed stream shows whether it was whole. */
  async drain(): Promise<void> {
    while ((await this.#piece(pieceBytes)) !== undefined) {
      // Nobody wants the rest.
    }
  }

  async close(): Promise<void> {
    await this.#source.close?.();
  }

  cutOff(): CloudletError {
    return this.#faults.unprocessable('it is cut off: it ends in the middle, and was not copied whole');
  }

  async #piece(mostBytes: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const next = await this.#source.next();
      if (next === undefined) return undefined;
      this.#rest = next;
    }
    const piece = this.#rest.subarray(0, mostBytes);
    this.#rest = this.#rest.subarray(piece.length);
    this.#position += piece.length;
    return piece;
  }
}
