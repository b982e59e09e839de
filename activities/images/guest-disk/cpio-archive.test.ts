import { expect, test } from 'vitest';
import { cpioArchive } from './cpio-archive.ts';

const field = (archive: Buffer, member: number, index: number): number =>
  Number.parseInt(archive.toString('latin1', member + 6 + 8 * index, member + 14 + 8 * index), 16);
const [modeField, sizeField, nameSizeField] = [1, 6, 11];

test('writes header, name and content of each member on boundaries of four bytes, then a trailer', () => {
  const archive = Buffer.from(
    cpioArchive([
      { kind: 'directory', path: 'bin' },
      { kind: 'file', path: 'bin/sh', content: Buffer.from('#!\n'), executable: true },
      { kind: 'symlink', path: 'init', target: 'bin/sh' },
    ]),
  );
  const members: unknown[] = [];
  for (let offset = 0; offset < archive.length;) {
    expect(archive.toString('latin1', offset, offset + 6)).toBe('070701');
    const nameEnd = offset + 110 + field(archive, offset, nameSizeField);
    const contentStart = Math.ceil(nameEnd / 4) * 4;
    const contentEnd = contentStart + field(archive, offset, sizeField);
    const name = archive.toString('latin1', offset + 110, nameEnd - 1);
    members.push([name, field(archive, offset, modeField).toString(8), archive.toString('latin1', contentStart, contentEnd)]);
    offset = Math.ceil(contentEnd / 4) * 4;
  }
  expect(members).toEqual([
    ['bin', '40755', ''],
    ['bin/sh', '100755', '#!\n'],
    ['init', '120777', 'bin/sh'],
    ['TRAILER!!!', '0', ''],
  ]);
});
