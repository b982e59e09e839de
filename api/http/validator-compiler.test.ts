import { describe, expect, it } from 'vitest';
import { Type, type TSchema } from 'typebox';
import { NewService, Uuid } from '../../workflows/contract/http.ts';
import { validatorCompiler } from './validator-compiler.ts';

/** What is wrong with a value, a line each; nothing where it is taken. */
function faults(schema: TSchema, value: unknown, httpPart = 'body'): string[] {
  const validate = validatorCompiler({ schema, httpPart, method: 'POST', url: '/' }) as unknown as (given: unknown) => {
    error?: { instancePath: string; message: string }[];
  };
  return (validate(value).error ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

const service = (source: object) => ({ serviceId: 'my', ports: [{ name: 'http', protocol: 'tcp', guestPort: 80 }], source });
const base = { kind: 'disk', file: 'a.qcow2', format: 'qcow2' };

describe('a request that is not valid', () => {
  it.each([
    [service({ kind: 'recipe' }), ['/source lacks base, commands']],
    [service({ kind: 'disk', file: 'a', formt: 'raw' }), ['/source lacks format', '/source has what nobody knows: formt']],
    [service({ kind: 'dsk' }), ['/source/kind must be one of catalogue, disk, upload, pair, service, container, recipe']],
    [service({ kind: 'recipe', base: { kind: 'disk', file: 'a' }, commands: [] }), ['/source/base lacks format']],
    [
      service({
        kind: 'recipe',
        base,
        commands: [],
        files: [
          { to: '/a', content: '' },
          { to: '/b', from: 'c', mode: 7 },
        ],
      }),
      ['/source/files/1 has what nobody knows: mode'],
    ],
    [
      { serviceId: 'a b' },
      ['/serviceId must be letters, digits, dots, dashes and underscores, 128 at most, and begin with a letter or digit'],
    ],
    [{ serviceId: 'a', readiness: { kind: 'http', guestPort: 80 } }, ['/readiness lacks path, timeoutSeconds']],
    [{ serviceId: 'a', foo: 1, bar: 2 }, [' has what nobody knows: foo, bar']],
  ])('is told what is wrong with what was meant: %j', (body, said) => {
    expect(faults(NewService, body)).toEqual(said);
  });

  it.each([7, null, [], { serviceId: 'a', source: 7 }])('is told so, whatever it is: %j', (body) => {
    expect(faults(NewService, body).join()).toContain('must be object');
  });

  it('is told what an id looks like', () => {
    expect(faults(Type.Object({ id: Uuid }), { id: 'x' }, 'params')).toEqual([
      '/id is no id: those look like 5f0c1d2e-89ab-4cde-8f01-23456789abcd',
    ]);
  });
});

it('lets pass what is valid', () => {
  expect(faults(NewService, service({ kind: 'container', uploadId: '5f0c1d2e-89ab-4cde-8f01-23456789abcd' }))).toEqual([]);
});
