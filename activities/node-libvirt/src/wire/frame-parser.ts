import { RpcError } from '../errors.ts';
import { frameHeaderBytes, maxFrameBytes } from '../protocol/constants.ts';
import { decodeFrame, type Frame } from './frame.ts';

const lengthBytes = 4;

/**
 * Cuts a byte stream into messages, whatever pieces it comes in. Pieces are joined once per message, so the work is linear,
 * and never more is held than has come in.
 */
export class FrameParser {
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  #frameBytes = 0;

  /**
   * The messages that `chunk` completes.
   * @throws RpcError `protocol` when a message claims an impossible length; nothing can be read after that
   */
  *push(chunk: Buffer): Generator<Frame, void, undefined> {
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    while (this.#heldBytes >= lengthBytes) {
      this.#frameBytes ||= this.#readLength();
      if (this.#heldBytes < this.#frameBytes) return;
      const bytes = this.#join();
      const frame = decodeFrame(bytes.subarray(0, this.#frameBytes));
      const rest = bytes.subarray(this.#frameBytes);
      this.#chunks = rest.length > 0 ? [rest] : [];
      this.#heldBytes = rest.length;
      this.#frameBytes = 0;
      yield frame;
    }
  }

  #readLength(): number {
    const [first] = this.#chunks;
    const start = first !== undefined && first.length >= lengthBytes ? first : this.#join();
    const length = start.readUInt32BE(0);
    if (length < frameHeaderBytes || length > maxFrameBytes) {
      throw new RpcError(
        'protocol',
        `A message claims to be ${length} bytes long, where ${frameHeaderBytes} to ${maxFrameBytes} are possible. Does libvirt listen there?`,
      );
    }
    return length;
  }

  #join(): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && this.#chunks.length === 1) return first;
    const joined = Buffer.concat(this.#chunks, this.#heldBytes);
    this.#chunks = [joined];
    return joined;
  }
}
