import { describe, expect, it } from 'vitest';
import { XdrDecoder } from '../xdr/xdr-decoder.ts';
import { XdrEncoder } from '../xdr/xdr-encoder.ts';
import { typedParameterRecord, typedParameters, type TypedParameter } from './typed-parameters.ts';

const codec = typedParameters(16);

describe('typed parameters', () => {
  it('keep order and repeated fields', () => {
    const parameters: TypedParameter[] = [
      { field: 'migrate_disks', type: 'string', value: 'vdb' },
      { field: 'bandwidth', type: 'ullong', value: 2n ** 63n },
      { field: 'migrate_disks', type: 'string', value: 'vda' },
    ];
    const encoder = new XdrEncoder();
    codec.encode(encoder, parameters);
    expect(codec.decode(new XdrDecoder(encoder.finish()))).toEqual(parameters);
  });

  it('carry the type as virTypedParameterType numbers it', () => {
    const encoder = new XdrEncoder();
    codec.encode(encoder, [{ field: 'x', type: 'boolean', value: true }]);
    expect(
      encoder
        .finish()
        .toString('hex')
        .replaceAll(/.{8}(?!$)/g, '$& '),
    ).toBe('00000001 00000001 78000000 00000006 00000001');
  });

  it('refuse an unknown type', () => {
    const bytes = Buffer.from('0000000100000001780000000000000800000001', 'hex');
    expect(() => codec.decode(new XdrDecoder(bytes))).toThrow('"x" has the unknown type 8');
  });

  it('read by name: the last of a repeated field, 64 bits as numbers where a number is exact', () => {
    const record = typedParameterRecord([
      { field: 'a', type: 'string', value: 'first' },
      { field: 'a', type: 'string', value: 'last' },
      { field: 'exact', type: 'ullong', value: 9_007_199_254_740_991n },
      { field: 'beyond', type: 'ullong', value: 9_007_199_254_740_993n },
      { field: 'negative', type: 'llong', value: -5n },
      { field: 'flag', type: 'boolean', value: false },
    ]);
    expect(record).toEqual({ a: 'last', exact: 9_007_199_254_740_991, beyond: 9_007_199_254_740_993n, negative: -5, flag: false });
  });
});
