import { padded } from './xdr-encoder.ts';
import { XdrError } from './xdr-error.ts';

/** Reads XDR (RFC 4506). Whatever the bytes are, it throws {@link XdrError} before it reads past their end or allocates for them. */
export class XdrDecoder {
  readonly #buffer: Buffer;
  #offset = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  get remainingBytes(): number {
    return this.#buffer.length - this.#offset;
  }

  int(): number {
    return this.#buffer.readInt32BE(this.#take(4));
  }

  uint(): number {
    return this.#buffer.readUInt32BE(this.#take(4));
  }

  hyper(): bigint {
    return this.#buffer.readBigInt64BE(this.#take(8));
  }

  uhyper(): bigint {
    return this.#buffer.readBigUInt64BE(this.#take(8));
  }

  double(): number {
    return this.#buffer.readDoubleBE(this.#take(8));
  }

  /** A view into the message, not a copy. */
  fixedOpaque(byteLength: number): Buffer {
    const offset = this.#take(padded(byteLength));
    return this.#buffer.subarray(offset, offset + byteLength);
  }

  /** A view into the message, not a copy. */
  opaque(maxBytes: number): Buffer {
    return this.fixedOpaque(this.count(maxBytes));
  }

  string(maxBytes: number): string {
    return this.opaque(maxBytes).toString('utf8');
  }

  /** The length of what follows; every item of an array takes at least one byte, so it can be checked before anything is allocated. */
  count(max: number): number {
    const count = this.uint();
    if (count > max) throw new XdrError(`a length of ${count} exceeds the limit of ${max}`);
    if (count > this.remainingBytes) throw new XdrError(`a length of ${count} exceeds the ${this.remainingBytes} bytes that are left`);
    return count;
  }

  /** @throws XdrError if bytes are left over */
  end(): void {
    if (this.remainingBytes > 0) throw new XdrError(`${this.remainingBytes} bytes are left over`);
  }

  #take(bytes: number): number {
    const offset = this.#offset;
    if (bytes > this.#buffer.length - offset) throw new XdrError(`${bytes} bytes are needed where ${this.remainingBytes} are left`);
    this.#offset = offset + bytes;
    return offset;
  }
}
