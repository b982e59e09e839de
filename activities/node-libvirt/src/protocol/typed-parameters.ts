import { array, bool, double, hyper, int, string, uhyper, uint, type Codec } from '../xdr/codec.ts';
import { XdrError } from '../xdr/xdr-error.ts';

/** What each type of parameter carries. */
interface ParameterValues {
  int: number;
  uint: number;
  llong: bigint;
  ullong: bigint;
  double: number;
  boolean: boolean;
  string: string;
}

export type TypedParameterType = keyof ParameterValues;

/**
 * A named value whose type travels with it. A list keeps its order, and a field may occur several times
 * (one `migrate_disks` for each disk).
 */
export type TypedParameter = {
  [T in TypedParameterType]: { readonly field: string; readonly type: T; readonly value: ParameterValues[T] };
}[TypedParameterType];

export type TypedParameterRecord = Readonly<Record<string, TypedParameter['value']>>;

/** In the order of `virTypedParameterType`, which begins at 1. */
export const typedParameterTypes = ['int', 'uint', 'llong', 'ullong', 'double', 'boolean', 'string'] as const;

const valueCodecs: { readonly [T in TypedParameterType]: Codec<ParameterValues[T]> } = {
  int,
  uint,
  llong: hyper,
  ullong: uhyper,
  double,
  boolean: bool,
  string,
};

export const typedParameter: Codec<TypedParameter> = {
  shape: { kind: 'typedParameter' },
  encode(encoder, parameter) {
    string.encode(encoder, parameter.field);
    encoder.int(typedParameterTypes.indexOf(parameter.type) + 1);
    const codec: Codec<unknown> = valueCodecs[parameter.type];
    codec.encode(encoder, parameter.value);
  },
  decode(decoder) {
    const field = string.decode(decoder);
    const number = decoder.int();
    const type = typedParameterTypes[number - 1];
    if (type === undefined) throw new XdrError(`the parameter ${JSON.stringify(field)} has the unknown type ${number}`);
    return { field, type, value: valueCodecs[type].decode(decoder) } as TypedParameter;
  },
};

export function typedParameters(maxItems: number): Codec<readonly TypedParameter[]> {
  return array(typedParameter, maxItems);
}

/**
 * The parameters by name, for reading. Of a repeated field the last one stays; 64-bit values become numbers where a number
 * is exact, and stay bigints beyond 2^53.
 */
export function typedParameterRecord(parameters: readonly TypedParameter[]): TypedParameterRecord {
  return Object.fromEntries(parameters.map(({ field, value }) => [field, typeof value === 'bigint' ? exactNumber(value) : value]));
}

function exactNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
