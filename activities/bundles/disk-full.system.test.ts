import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bytesPerMib } from '../../workflows/contract/units.ts';
import { runTool } from '../run-tool.ts';
import { tarArchive } from '../../test/support/tar-archive.ts';
import { pycloudJson, unpackInput, withTestFolder } from './test-support/test-bundle.ts';
import { unpackBundle } from './unpack-bundle.ts';

/** What must stay free beside a bundle is 64 MiB of it. */
const diskMib = 70;

/** Unpacks a bundle onto a small disk. @param onBytes called with the folder that lies on it */
const unpackTightly = (mib: number, onBytes: (folder: string, done: number) => void) =>
  withTestFolder(async (folder) => {
    const disk = randomBytes(mib * bytesPerMib);
    const bytes = tarArchive([
      { name: 'speech.qcow2', content: disk },
      { name: 'service.json', content: pycloudJson() },
    ]);
    const input = await unpackInput(folder, bytes);
    await runTool('mount', ['-t', 'tmpfs', '-o', `size=${diskMib}m`, 'tmpfs', input.folder]);
    try {
      return await unpackBundle(input, { signal: new AbortController().signal, onBytes: (done) => onBytes(input.folder, done) });
    } finally {
      await runTool('umount', [input.folder]);
    }
  });

it('refuses a bundle for which there is no room', async () => {
  await expect(unpackTightly(20, () => undefined)).rejects.toMatchObject({ code: 'capacity-exhausted', facts: { resource: 'disk' } });
});

it('gives up when the disk is filled by others meanwhile', async () => {
  const fillUp = (folder: string, done: number) => {
    if (done <= bytesPerMib) return;
    expect(() => writeFileSync(join(folder, 'others'), Buffer.alloc(diskMib * bytesPerMib))).toThrow('ENOSPC');
  };
  await expect(unpackTightly(4, fillUp)).rejects.toMatchObject({ code: 'capacity-exhausted', facts: { resource: 'disk' } });
});
