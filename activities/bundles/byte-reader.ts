import { refuse } from './refuse.ts';

/** Takes bytes off a stream of chunks in pieces of the reader's choosing. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes taken so far. */
  position = 0;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** What is at hand, at most `limit` bytes of it; undefined at the end. */
  async some(limit: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#chunks.next();
      if (done) return undefined;
      this.#rest = value;
    }
    const taken = this.#rest.subarray(0, limit);
    this.#rest = this.#rest.subarray(taken.length);
    this.position += taken.length;
    return taken;
  }

  /**
   * A copy of just so many bytes; undefined where the stream ends before the first of them.
   * @throws CloudletError `unprocessable-bundle` where it ends among them
   */
  async exactly(length: number): Promise<Buffer | undefined> {
    const copy = Buffer.alloc(length);
    let filled = 0;
    while (filled < length) {
      const piece = await this.some(length - filled);
      if (!piece && filled === 0) return undefined;
      if (!piece) throw cutOff();
      filled += piece.copy(copy, filled);
    }
    return copy;
  }

  async skip(length: number): Promise<void> {
    for (let left = length; left > 0;) {
      const piece = await this.some(left);
      if (!piece) throw cutOff();
      left -= piece.length;
    }
  }

  /** Reads on to the end: only there a compressed stream shows whether it was whole. */
  async drain(): Promise<void> {
    while (await this.some(Number.MAX_SAFE_INTEGER));
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

export const cutOff = () => refuse('it is cut off: its end is missing');
