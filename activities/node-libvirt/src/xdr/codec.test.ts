import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryOf } from '../../test/support/arbitrary-of.ts';
import { array, characters, double, hyper, int, opaque, optional, string, struct, uhyper, uint, uuid, type Codec } from './codec.ts';
import { XdrDecoder } from './xdr-decoder.ts';
import { XdrEncoder } from './xdr-encoder.ts';
import { XdrError } from './xdr-error.ts';

function encode<T>(codec: Codec<T>, value: T): Buffer {
  const encoder = new XdrEncoder();
  codec.encode(encoder, value);
  return encoder.finish();
}

function decode<T>(codec: Codec<T>, bytes: Buffer): T {
  const decoder = new XdrDecoder(bytes);
  const value = codec.decode(decoder);
  decoder.end();
  return value;
}

function errorOf(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

const everything: Codec<unknown> = struct({
  int,
  uint,
  hyper,
  uhyper,
  double,
  string,
  uuid,
  opaque: opaque(64),
  characters: characters(32),
  optional: optional(optional(string)),
  array: array(struct({ name: string, values: array(int, 8) }), 8),
});

describe('XDR', () => {
  it('lays bytes out as RFC 4506 says', () => {
    expect(encode(int, -2).toString('hex')).toBe('fffffffe');
    expect(encode(uhyper, 0x0102_0304_0506_0708n).toString('hex')).toBe('0102030405060708');
    expect(encode(double, 1).toString('hex')).toBe('3ff0000000000000');
    expect(encode(string, 'hällo').toString('hex')).toBe('0000000668c3a46c6c6f0000');
    expect(encode(opaque(8), Uint8Array.of(1, 2, 3)).toString('hex')).toBe('0000000301020300');
    expect(encode(optional(int), null).toString('hex')).toBe('00000000');
    expect(encode(optional(int), 7).toString('hex')).toBe('0000000100000007');
    expect(encode(array(int, 3), [1, 2]).toString('hex')).toBe('000000020000000100000002');
    expect(encode(characters(3), 'ab').toString('hex')).toBe('000000610000006200000000');
    expect(encode(uuid, '01020304-0506-0708-090A-0b0c0d0e0f10').toString('hex')).toBe('0102030405060708090a0b0c0d0e0f10');
  });

  it('gives back whatever it was given', () => {
    fc.assert(
      fc.property(arbitraryOf(everything.shape), (value) => {
        expect(decode(everything, encode(everything, value))).toStrictEqual(value);
      }),
    );
  });

  it('refuses every truncated value', () => {
    const bytesAndCut = arbitraryOf(everything.shape)
      .map((value) => encode(everything, value))
      .chain((bytes) => fc.tuple(fc.constant(bytes), fc.integer({ min: 0, max: bytes.length - 1 })));
    fc.assert(
      fc.property(bytesAndCut, ([bytes, cut]) => {
        expect(() => decode(everything, bytes.subarray(0, cut))).toThrow(XdrError);
      }),
    );
  });

  it('answers any bytes with a value or an XdrError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const unexpected = errorOf(() => decode(everything, Buffer.from(bytes)));
        expect(unexpected === undefined || unexpected instanceof XdrError).toBe(true);
      }),
    );
  });

  it('does not allocate for a length that cannot be', () => {
    const absurd = Buffer.from('ffffffff', 'hex');
    expect(() => decode(string, absurd)).toThrow(/exceeds the limit/);
    expect(() => decode(array(int, 0xffff_ffff), absurd)).toThrow(/exceeds the 0 bytes/);
    expect(() => decode(opaque(100), Buffer.from('00000064', 'hex'))).toThrow(/exceeds the 0 bytes/);
  });

  it('refuses what stands where a flag should', () => {
    expect(() => decode(optional(int), Buffer.from('0000000200000007', 'hex'))).toThrow(/0 or 1/);
  });

  it('refuses bytes that are left over', () => {
    expect(() => decode(int, Buffer.alloc(8))).toThrow(/4 bytes are left over/);
  });

  it('refuses to encode what libvirt could not take', () => {
    expect(() => encode(string, 'a\0b')).toThrow(/NUL/);
    expect(() => encode(string, 'x'.repeat(4_194_305))).toThrow(/too long/);
    expect(() => encode(array(int, 2), [1, 2, 3])).toThrow(/too long/);
    expect(() => encode(opaque(2), new Uint8Array(3))).toThrow(/too long/);
    expect(() => encode(characters(4), 'abcd')).toThrow(/too long/);
    expect(() => encode(uuid, 'nonsense')).toThrow(/not a UUID/);
    expect(() => encode(int, 2 ** 31)).toThrow(RangeError);
    expect(() => encode(uint, -1)).toThrow(RangeError);
    expect(() => encode(uhyper, 2n ** 64n)).toThrow(RangeError);
  });
});
