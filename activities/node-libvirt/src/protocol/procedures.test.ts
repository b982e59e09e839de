import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryOf } from '../../test/support/arbitrary-of.ts';
import type { Codec } from '../xdr/codec.ts';
import { XdrDecoder } from '../xdr/xdr-decoder.ts';
import { XdrEncoder } from '../xdr/xdr-encoder.ts';
import { events } from './events.ts';
import { procedures, type AnyProcedure } from './procedures.ts';
import { remoteError } from './remote-error.ts';

function roundTrip(codec: Codec<unknown>, value: unknown): unknown {
  const encoder = new XdrEncoder();
  codec.encode(encoder, value);
  const decoder = new XdrDecoder(encoder.finish());
  const decoded = codec.decode(decoder);
  decoder.end();
  return decoded;
}

const all: readonly (readonly [string, AnyProcedure])[] = Object.entries(procedures);
const codecs: readonly (readonly [string, Codec<unknown>])[] = [
  ...all.flatMap(([name, { args, reply }]) => [[`${name} arguments`, args] as const, [`${name} reply`, reply] as const]),
  ...Object.entries(events).map(([kind, { body }]) => [`${kind} event`, body] as const),
  ['error', remoteError],
];

describe('procedures', () => {
  it.each(codecs)('carry the %s there and back', (_name, codec) => {
    const isEmpty = codec.shape.kind === 'struct' && Object.keys(codec.shape.fields).length === 0;
    fc.assert(
      fc.property(arbitraryOf(codec.shape), (value) => {
        expect(roundTrip(codec, value) ?? {}).toStrictEqual(isEmpty ? {} : value);
      }),
      { numRuns: 25 },
    );
  });

  it('have numbers of their own', () => {
    const numbers = all.map(([, { program, number }]) => `${program}/${number}`);
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});
