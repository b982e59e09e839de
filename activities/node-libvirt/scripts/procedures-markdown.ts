import { events } from '../src/protocol/events.ts';
import { procedures, type AnyProcedure } from '../src/protocol/procedures.ts';
import { Program } from '../src/protocol/constants.ts';
import type { Shape } from '../src/xdr/codec.ts';

const fieldsOf = (shape: Shape) => (shape.kind === 'struct' ? Object.keys(shape.fields).join(', ') : '');

function waitOf({ stream, long }: AnyProcedure): string {
  if (stream !== undefined) return `stream (${stream})`;
  return long ? 'long' : 'quick';
}

/** The tables of `PROCEDURES.md`, made from the tables of the protocol. */
export function proceduresMarkdown(): string {
  const all: readonly (readonly [string, AnyProcedure])[] = Object.entries(procedures);
  const calls = all.map(([name, procedure]) => {
    const program = procedure.program === Program.QEMU ? 'QEMU ' : '';
    return `| \`${name}\` | ${program}${procedure.number} | ${fieldsOf(procedure.args.shape)} | ${fieldsOf(procedure.reply.shape)} | ${waitOf(procedure)} |`;
  });
  const kinds = Object.entries(events).map(([kind, { eventId, procedure }]) => `| \`${kind}\` | ${eventId} | ${procedure} |`);
  return `# What node-libvirt can call

Made by \`npm run docs\` from \`src/protocol/procedures.ts\` and \`src/protocol/events.ts\`. Names and numbers are libvirt's.

## ${calls.length} procedures

| name | number | arguments | reply | connection |
| --- | --- | --- | --- | --- |
${calls.join('\n')}

## ${kinds.length} events

| kind | event id | message |
| --- | --- | --- |
${kinds.join('\n')}
`;
}
