import { link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ext4Bytes, treeSize } from './ext4-root.ts';

test('counts a file with two names once', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'cloudlet-tree-'));
  try {
    await mkdir(path.join(directory, 'bin'));
    await writeFile(path.join(directory, 'bin/perl'), Buffer.alloc(5000));
    await link(path.join(directory, 'bin/perl'), path.join(directory, 'bin/perl5'));
    const { inodes, bytes } = await treeSize(directory);
    expect(inodes).toBe(2);
    expect(bytes).toBe(8192 + 4096);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('asks for whole mebibytes with room to spare', () => {
  const size = { bytes: 100 * 2 ** 20, inodes: 1000 };
  expect(ext4Bytes({ size }) % 2 ** 20).toBe(0);
  expect(ext4Bytes({ size })).toBeGreaterThan(size.bytes * 1.05);
  expect(ext4Bytes({ size, spare: { bytes: 2 ** 30, inodes: 0 } })).toBeGreaterThan(size.bytes + 2 ** 30);
});
