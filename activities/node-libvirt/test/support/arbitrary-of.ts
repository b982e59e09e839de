import * as fc from 'fast-check';
import type { Shape } from '../../src/xdr/codec.ts';

const maxListLength = 4;
const plain = { noNullPrototype: true };

const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((value) => !value.includes('\0'));
const uuid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => {
  const hex = Buffer.from(bytes).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
});

const parameterValues = {
  int: fc.integer(),
  uint: fc.integer({ min: 0, max: 0xffff_ffff }),
  llong: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  ullong: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  double: fc.double(),
  boolean: fc.boolean(),
  string: text,
};

const typedParameter = fc.oneof(
  ...Object.entries(parameterValues).map(([type, value]) => fc.record({ field: text, type: fc.constant(type), value }, plain)),
);

/** Values that a codec of this shape carries, lists kept short. */
export function arbitraryOf(shape: Shape): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'int':
      return parameterValues.int;
    case 'uint':
      return parameterValues.uint;
    case 'hyper':
      return parameterValues.llong;
    case 'uhyper':
      return parameterValues.ullong;
    case 'double':
      return parameterValues.double;
    case 'bool':
      return fc.boolean();
    case 'uuid':
      return uuid;
    case 'string':
      return text;
    case 'opaque':
      return fc.uint8Array({ maxLength: 20 });
    case 'characters':
      return text.filter((value) => Buffer.byteLength(value) < shape.length);
    case 'optional':
      return fc.option(arbitraryOf(shape.item), { nil: null });
    case 'array':
      return fc.array(arbitraryOf(shape.item), { maxLength: Math.min(maxListLength, shape.maxItems) });
    case 'struct':
      return fc.record(Object.fromEntries(Object.entries(shape.fields).map(([name, field]) => [name, arbitraryOf(field)])), plain);
    case 'typedParameter':
      return typedParameter;
  }
}
