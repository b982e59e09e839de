import { XdrError } from './xdr-error.ts';

/**
 * Writes XDR (RFC 4506) into one growing buffer.
 *
 * `reservedBytes` are left free at the front for a header, so that a message is one buffer and one write.
 * A number out of its type's range throws a `RangeError`.
 */
export class XdrEncoder {
  #buffer: Buffer;
  #length: number;

  constructor(reservedBytes = 0) {
    this.#buffer = Buffer.allocUnsafe(reservedBytes + 256);
    this.#length = reservedBytes;
  }

  int(value: number): void {
    const offset = this.#grow(4);
    this.#buffer.writeInt32BE(value, offset);
  }

  uint(value: number): void {
    const offset = this.#grow(4);
    this.#buffer.writeUInt32BE(value, offset);
  }

  hyper(value: bigint): void {
    const offset = this.#grow(8);
    this.#buffer.writeBigInt64BE(value, offset);
  }

  uhyper(value: bigint): void {
    const offset = this.#grow(8);
    this.#buffer.writeBigUInt64BE(value, offset);
  }

  double(value: number): void {
    const offset = this.#grow(8);
    this.#buffer.writeDoubleBE(value, offset);
  }

  /** Opaque data of a length that both sides know. */
  fixedOpaque(bytes: Uint8Array): void {
    const offset = this.#grow(padded(bytes.length));
    this.#buffer.set(bytes, offset);
    this.#buffer.fill(0, offset + bytes.length, this.#length);
  }

  opaque(bytes: Uint8Array, maxBytes: number): void {
    this.#lengthPrefix(bytes.length, maxBytes);
    this.fixedOpaque(bytes);
  }

  string(value: string, maxBytes: number): void {
    if (value.includes('\0')) {
      throw new XdrError(`The string ${JSON.stringify(value.slice(0, 80))} contains a NUL, where libvirt would cut it off. Leave it out.`);
    }
    const byteLength = Buffer.byteLength(value);
    this.#lengthPrefix(byteLength, maxBytes);
    const offset = this.#grow(padded(byteLength));
    this.#buffer.write(value, offset, 'utf8');
    this.#buffer.fill(0, offset + byteLength, this.#length);
  }

  /** What was written, with the reserved bytes. The encoder must not be used afterwards. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #lengthPrefix(length: number, max: number): void {
    if (length > max) throw new XdrError(`A value of ${length} bytes is too long: libvirt takes at most ${max}.`);
    this.uint(length);
  }

  #grow(bytes: number): number {
    const offset = this.#length;
    const needed = offset + bytes;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, offset);
      this.#buffer = larger;
    }
    this.#length = needed;
    return offset;
  }
}

/** XDR fills everything up to a multiple of four bytes. */
export function padded(byteLength: number): number {
  return (byteLength + 3) & ~3;
}
