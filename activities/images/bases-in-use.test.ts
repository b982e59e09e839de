import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backingFile, basesInUse } from './bases-in-use.ts';
import { diskPath, hostPaths, imagePath, type HostPaths } from './host-paths.ts';

let folder: string;
let paths: HostPaths;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bases-'));
  paths = hostPaths(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** As qemu-img writes it, as far as the name of the backing file goes. */
function qcow2(backing = '', length = Buffer.byteLength(backing)): Buffer {
  const header = Buffer.alloc(512);
  header.writeUInt32BE(0x514649fb, 0);
  header.writeUInt32BE(3, 4);
  header.writeBigUInt64BE(backing === '' ? 0n : 256n, 8);
  header.writeUInt32BE(length, 16);
  header.write(backing, 256);
  return header;
}

function put(path: string, content: Buffer | string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

describe('the backing file of a disk', () => {
  it('is named in it', async () => {
    expect(await backingFile(put(join(folder, 'a'), qcow2('/images/base')))).toBe('/images/base');
  });

  it.each([
    ['a disk without', qcow2()],
    ['a name that is too long', qcow2('x', 5_000)],
    ['something else', 'no disk at all, but long enough'],
    ['too little', 'QFI'],
  ])('is none of %s', async (_, content) => {
    expect(await backingFile(put(join(folder, 'a'), content))).toBeUndefined();
  });

  it('is none where there is no file', async () => expect(await backingFile(join(folder, 'none'))).toBeUndefined());
});

describe('the bases of a host’s instances', () => {
  it('are what their disks lie upon, and what that lies upon', async () => {
    put(diskPath(paths, 'vm-1'), qcow2(imagePath(paths, 'saved')));
    put(diskPath(paths, 'vm-2'), qcow2(imagePath(paths, 'other')));
    put(imagePath(paths, 'saved'), qcow2('base'));
    put(imagePath(paths, 'base'), qcow2());
    put(imagePath(paths, 'other'), qcow2('other'));
    put(imagePath(paths, 'unused'), qcow2('base'));
    expect([...(await basesInUse(paths))].toSorted()).toEqual(['base', 'other', 'saved']);
  });

  it('are none where nothing runs', async () => expect([...(await basesInUse(paths))]).toEqual([]));
});
