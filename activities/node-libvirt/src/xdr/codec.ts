import type { XdrDecoder } from './xdr-decoder.ts';
import type { XdrEncoder } from './xdr-encoder.ts';
import { XdrError } from './xdr-error.ts';

/** What a codec carries, as data: for documents, and for tests that generate values. */
export type Shape =
  | { readonly kind: 'int' | 'uint' | 'hyper' | 'uhyper' | 'double' | 'bool' | 'uuid' }
  | { readonly kind: 'string' | 'opaque'; readonly maxBytes: number }
  | { readonly kind: 'characters'; readonly length: number }
  | { readonly kind: 'optional'; readonly item: Shape }
  | { readonly kind: 'array'; readonly item: Shape; readonly maxItems: number }
  | { readonly kind: 'struct'; readonly fields: Readonly<Record<string, Shape>> }
  | { readonly kind: 'typedParameter' };

/** How one type of the protocol is written and read. Codecs are values; larger ones are made of smaller ones. */
export interface Codec<T> {
  readonly shape: Shape;
  /** @throws XdrError or RangeError when libvirt could not take the value */
  encode(encoder: XdrEncoder, value: T): void;
  /** @throws XdrError when the bytes are not such a value */
  decode(decoder: XdrDecoder): T;
}

export type Fields = Readonly<Record<string, Codec<unknown>>>;
export type ValueOf<C> = C extends Codec<infer T> ? T : never;
export type StructOf<F extends Fields> = { readonly [K in keyof F]: ValueOf<F[K]> };

/** The longest string libvirt takes, in bytes (`REMOTE_STRING_MAX`). */
export const maxStringBytes = 4_194_304;

export const nothing: Codec<void> = {
  shape: { kind: 'struct', fields: {} },
  encode: () => {},
  decode: () => {},
};

export const int: Codec<number> = {
  shape: { kind: 'int' },
  encode: (encoder, value) => encoder.int(value),
  decode: (decoder) => decoder.int(),
};

export const uint: Codec<number> = {
  shape: { kind: 'uint' },
  encode: (encoder, value) => encoder.uint(value),
  decode: (decoder) => decoder.uint(),
};

export const hyper: Codec<bigint> = {
  shape: { kind: 'hyper' },
  encode: (encoder, value) => encoder.hyper(value),
  decode: (decoder) => decoder.hyper(),
};

export const uhyper: Codec<bigint> = {
  shape: { kind: 'uhyper' },
  encode: (encoder, value) => encoder.uhyper(value),
  decode: (decoder) => decoder.uhyper(),
};

export const double: Codec<number> = {
  shape: { kind: 'double' },
  encode: (encoder, value) => encoder.double(value),
  decode: (decoder) => decoder.double(),
};

/** libvirt carries truth in an `int`: anything but zero is true. */
export const bool: Codec<boolean> = {
  shape: { kind: 'bool' },
  encode: (encoder, value) => encoder.int(value ? 1 : 0),
  decode: (decoder) => decoder.int() !== 0,
};

export const string: Codec<string> = {
  shape: { kind: 'string', maxBytes: maxStringBytes },
  encode: (encoder, value) => encoder.string(value, maxStringBytes),
  decode: (decoder) => decoder.string(maxStringBytes),
};

/** A UUID: 16 bytes on the wire, `6ba7b810-9dad-11d1-80b4-00c04fd430c8` outside. */
export const uuid: Codec<string> = {
  shape: { kind: 'uuid' },
  encode(encoder, value) {
    if (!uuidPattern.test(value)) throw new XdrError(`${JSON.stringify(value)} is not a UUID. Write it as 8-4-4-4-12 hexadecimal digits.`);
    encoder.fixedOpaque(Buffer.from(value.replaceAll('-', ''), 'hex'));
  },
  decode(decoder) {
    const hex = decoder.fixedOpaque(16).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  },
};

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function opaque(maxBytes: number): Codec<Uint8Array> {
  return {
    shape: { kind: 'opaque', maxBytes },
    encode: (encoder, value) => encoder.opaque(value, maxBytes),
    decode: (decoder) => Uint8Array.from(decoder.opaque(maxBytes)),
  };
}

/** C's `char name[length]`: each character takes four bytes, the first NUL ends the text. */
export function characters(length: number): Codec<string> {
  return {
    shape: { kind: 'characters', length },
    encode(encoder, value) {
      const bytes = Buffer.from(value);
      if (bytes.length >= length) throw new XdrError(`${JSON.stringify(value)} is too long: at most ${length - 1} bytes fit.`);
      for (let i = 0; i < length; i++) encoder.int(bytes[i] ?? 0);
    },
    decode(decoder) {
      const bytes = Buffer.from(Array.from({ length }, () => decoder.int() & 0xff));
      const end = bytes.indexOf(0);
      return bytes.toString('utf8', 0, end < 0 ? length : end);
    },
  };
}

export function optional<T>(item: Codec<T>): Codec<T | null> {
  return {
    shape: { kind: 'optional', item: item.shape },
    encode(encoder, value) {
      encoder.uint(value === null ? 0 : 1);
      if (value !== null) item.encode(encoder, value);
    },
    decode(decoder) {
      const present = decoder.uint();
      if (present > 1) throw new XdrError(`${present} stands where 0 or 1 says whether a value follows`);
      return present === 1 ? item.decode(decoder) : null;
    },
  };
}

export function array<T>(item: Codec<T>, maxItems: number): Codec<readonly T[]> {
  return {
    shape: { kind: 'array', item: item.shape, maxItems },
    encode(encoder, values) {
      if (values.length > maxItems) throw new XdrError(`A list of ${values.length} is too long: libvirt takes at most ${maxItems}.`);
      encoder.uint(values.length);
      for (const value of values) item.encode(encoder, value);
    },
    decode(decoder) {
      const values: T[] = [];
      for (let count = decoder.count(maxItems); count > 0; count--) values.push(item.decode(decoder));
      return values;
    },
  };
}

/** Fields one after the other, in the order in which they are listed. */
export function struct<F extends Fields>(fields: F): Codec<StructOf<F>> {
  const entries = Object.entries(fields);
  return {
    shape: { kind: 'struct', fields: Object.fromEntries(entries.map(([name, codec]) => [name, codec.shape])) },
    encode(encoder, value) {
      for (const [name, codec] of entries) codec.encode(encoder, value[name]);
    },
    decode(decoder) {
      const value: Record<string, unknown> = {};
      for (const [name, codec] of entries) value[name] = codec.decode(decoder);
      return value as StructOf<F>;
    },
  };
}
