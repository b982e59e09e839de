import type { DoctorReport } from './run-doctor.ts';

const marks = { ok: '✓', warn: '!', fail: '✗' } as const;

/** @returns the report as a table for people: what is well in one line each, what is not with its price and remedy */
export function formatReport({ results }: DoctorReport): string {
  const width = Math.max(...results.map(({ title }) => title.length));
  const indent = ' '.repeat(width + 6);
  const lines = results.flatMap(({ status, title, finding, cost, remedy }) => [
    `  ${marks[status]} ${title.padEnd(width)}  ${finding}`,
    ...(cost === undefined ? [] : [`${indent}costs: ${cost}`]),
    ...(remedy === undefined ? [] : [`${indent}do:    ${remedy}`]),
  ]);
  const count = (status: keyof typeof marks) => results.filter((result) => result.status === status).length;
  return [...lines, '', `  ${count('ok')} well, ${count('warn')} to mind, ${count('fail')} in the way`].join('\n');
}
