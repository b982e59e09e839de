import { expect, test } from 'vitest';
import { packageClosure, parseDependencies } from './package-closure.ts';

const listing = `lighttpd
  PreDepends: init-system-helpers
  Depends: libc6
 |Depends: systemd-sysv
  Depends: lsb-base
    sysvinit-utils
init-system-helpers
  Depends: <perl:any>
    perl
libc6
  Depends: libgcc-s1
libgcc-s1
  Depends: libc6
systemd-sysv
lsb-base
sysvinit-utils
perl
<perl:any>
`;

test('reads alternatives, virtual packages and their providers', () => {
  const graph = parseDependencies(listing);
  expect(graph.get('lighttpd')).toEqual([['init-system-helpers'], ['libc6'], ['systemd-sysv', 'lsb-base', 'sysvinit-utils']]);
  expect(graph.get('init-system-helpers')).toEqual([['perl']]);
  expect(graph.has('<perl:any>')).toBe(false);
});

test('takes the first alternative, and ends in a circle of dependencies', () => {
  expect(packageClosure(parseDependencies(listing), ['lighttpd'], new Set())).toEqual([
    'init-system-helpers',
    'libc6',
    'libgcc-s1',
    'lighttpd',
    'perl',
    'systemd-sysv',
  ]);
});

test('leaves out a dependency that an omitted package would satisfy, and what only that needs', () => {
  const omitted = new Set(['init-system-helpers', 'sysvinit-utils']);
  expect(packageClosure(parseDependencies(listing), ['lighttpd'], omitted)).toEqual(['libc6', 'libgcc-s1', 'lighttpd']);
});

test('names a package that the lists do not know, and the remedy', () => {
  expect(() => packageClosure(new Map(), ['tesseract-ocr'], new Set())).toThrow(/tesseract-ocr.*apt-get update/);
  expect(() => packageClosure(parseDependencies('a\n  Depends: <b>\n'), ['a'], new Set())).toThrow(/needed by a/);
});
