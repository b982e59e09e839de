/**
 * Compares our tables with the authority: `npm run compare -- /path/to/libvirt/src` reads libvirt's own interface definitions
 * and reports every number and layout that differs. Run it after adding a procedure, or with the source of another libvirt.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Program } from '../src/protocol/constants.ts';
import { events } from '../src/protocol/events.ts';
import { procedures, type AnyProcedure } from '../src/protocol/procedures.ts';
import { remoteError } from '../src/protocol/remote-error.ts';
import type { Shape } from '../src/xdr/codec.ts';

/** A layout as text, the same for the same bytes: `{sUi}` is a struct of a string, a UUID and an int. */
type Signature = string;

interface Definitions {
  readonly constants: ReadonlyMap<string, number>;
  readonly structs: ReadonlyMap<string, readonly string[]>;
  /** Names in snake case by `program number`. */
  readonly procedures: ReadonlyMap<string, string>;
}

const scalars: Readonly<Record<string, Signature>> = {
  int: 'i',
  char: 'i',
  'unsigned int': 'u',
  unsigned: 'u',
  'unsigned char': 'u',
  'unsigned short': 'u',
  hyper: 'h',
  'unsigned hyper': 'H',
  remote_nonnull_string: 's',
  virNetMessageNonnullString: 's',
  remote_string: '?s',
  virNetMessageString: '?s',
  remote_uuid: 'U',
  virNetMessageUUID: 'U',
  remote_typed_param: 'P',
  remote_auth_type: 'i',
};

/** Types that are a pointer to a struct: there, or not. */
const pointers: Readonly<Record<string, string>> = {
  remote_domain: 'remote_nonnull_domain',
  virNetMessageDomain: 'virNetMessageNonnullDomain',
  virNetMessageNetwork: 'virNetMessageNonnullNetwork',
};

function readDefinitions(source: string): Definitions {
  const constants = new Map<string, number>();
  const structs = new Map<string, readonly string[]>();
  const names = new Map<string, string>();
  for (const [file, program] of [
    ['rpc/virnetprotocol.x', 0],
    ['remote/remote_protocol.x', Program.REMOTE],
    ['remote/qemu_protocol.x', Program.QEMU],
  ] as const) {
    const text = readFileSync(join(source, file), 'utf8').replaceAll(/\/\*[^]*?\*\//g, '');
    for (const [, name = '', value = ''] of text.matchAll(/^const (\w+)\s*=\s*(\w+);/gm))
      constants.set(name, constants.get(value) ?? Number(value));
    for (const [, name = '', body = ''] of text.matchAll(/struct (\w+) \{([^]*?)\};/g)) {
      structs.set(
        name,
        body
          .split(';')
          .map((field) => field.replaceAll(/\s+/g, ' ').trim())
          .filter(Boolean),
      );
    }
    for (const [, name = '', number = ''] of text.matchAll(/_PROC_(\w+) = (\d+)/g)) names.set(`${program} ${number}`, name.toLowerCase());
  }
  return { constants, structs, procedures: names };
}

function structSignature(definitions: Definitions, name: string): Signature {
  return `{${(definitions.structs.get(name) ?? []).map((field) => fieldSignature(definitions, field)).join('')}}`;
}

function fieldSignature(definitions: Definitions, field: string): Signature {
  const [, arrayType, arrayLimit] = /^(.*) \w+<(\w+)>$/.exec(field) ?? [];
  if (arrayType === 'opaque') return `o<${definitions.constants.get(String(arrayLimit))}>`;
  if (arrayType !== undefined) return `[${typeSignature(definitions, arrayType)}]<${definitions.constants.get(String(arrayLimit))}>`;
  const [, characters] = /^char \w+\[(\d+)\]$/.exec(field) ?? [];
  if (characters !== undefined) return `c${characters}`;
  return typeSignature(definitions, field.slice(0, field.lastIndexOf(' ')));
}

function typeSignature(definitions: Definitions, type: string): Signature {
  const pointed = pointers[type];
  if (pointed !== undefined) return `?${structSignature(definitions, pointed)}`;
  return scalars[type] ?? structSignature(definitions, type);
}

function shapeSignature(shape: Shape): Signature {
  switch (shape.kind) {
    case 'int':
    case 'bool':
      return 'i';
    case 'uint':
      return 'u';
    case 'hyper':
      return 'h';
    case 'uhyper':
      return 'H';
    case 'double':
      return 'd';
    case 'string':
      return 's';
    case 'uuid':
      return 'U';
    case 'typedParameter':
      return 'P';
    case 'opaque':
      return `o<${shape.maxBytes}>`;
    case 'characters':
      return `c${shape.length}`;
    case 'optional':
      return `?${shapeSignature(shape.item)}`;
    case 'array':
      return `[${shapeSignature(shape.item)}]<${shape.maxItems}>`;
    case 'struct':
      return `{${Object.values(shape.fields).map(shapeSignature).join('')}}`;
  }
}

const snakeCase = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function* differences(definitions: Definitions): Generator<string> {
  const differ = (what: string, ours: string, theirs: string) => `${what}\n  ours   ${ours}\n  theirs ${theirs}`;
  const all: readonly (readonly [string, AnyProcedure])[] = Object.entries(procedures);
  for (const [name, { program, number, args, reply }] of all) {
    const theirs = definitions.procedures.get(`${program} ${number}`) ?? 'nothing';
    const prefix = program === Program.QEMU ? 'qemu' : 'remote';
    const ours = snakeCase(name).replace(/^qemu_/, '');
    if (ours !== theirs) yield differ(`number ${number}`, ours, theirs);
    for (const [part, { shape }] of [
      ['args', args],
      ['ret', reply],
    ] as const) {
      const expected = structSignature(definitions, `${prefix}_${theirs}_${part}`);
      if (shapeSignature(shape) !== expected) yield differ(`${name} ${part}`, shapeSignature(shape), expected);
    }
  }
  for (const [kind, { procedure, body }] of Object.entries(events)) {
    const expected = structSignature(definitions, `remote_${definitions.procedures.get(`${Program.REMOTE} ${procedure}`)}_msg`);
    if (shapeSignature(body.shape) !== expected) yield differ(`event ${kind}`, shapeSignature(body.shape), expected);
  }
  const expected = structSignature(definitions, 'virNetMessageError');
  if (shapeSignature(remoteError.shape) !== expected) yield differ('error', shapeSignature(remoteError.shape), expected);
}

const [source] = process.argv.slice(2);
if (source === undefined) {
  process.stderr.write("Say where libvirt's source is: npm run compare -w node-libvirt -- /path/to/libvirt/src\n");
  process.exitCode = 2;
} else {
  const found = [...differences(readDefinitions(source))];
  for (const difference of found) process.stdout.write(`${difference}\n`);
  process.stdout.write(
    `${Object.keys(procedures).length} procedures and ${Object.keys(events).length} events compared: ${found.length} differences.\n`,
  );
  process.exitCode = found.length === 0 ? 0 : 1;
}
