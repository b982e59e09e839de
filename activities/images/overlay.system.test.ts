import { mkdtempSync, rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesPerMib } from '../../workflows/contract/units.ts';
import { runTool } from '../run-tool.ts';
import { backingFile } from './bases-in-use.ts';
import { createOverlay } from './overlay.ts';

let folder: string;
let base: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'overlay-'));
  base = join(folder, 'base');
  await runTool('qemu-img', ['create', '-q', '-f', 'qcow2', base, '1G']);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** QEMU's I/O on the slice of a file that a guest's disk is given, as libvirt has it opened. @returns what it says, failures too */
function inSlice(path: string, sizeBytes: number, ...commands: string[]): Promise<string> {
  const disk = { driver: 'qcow2', file: { driver: 'raw', offset: 0, size: sizeBytes, file: { driver: 'file', filename: path } } };
  const args = [...commands.flatMap((command) => ['-c', command]), `json:${JSON.stringify(disk)}`];
  return runTool('sh', ['-c', 'qemu-io "$@" 2>&1 || true', 'qemu-io', ...args]);
}

describe('an overlay with a limit', () => {
  const limitBytes = 32 * bytesPerMib;

  it('names its base, and takes no room before something is written', async () => {
    const path = join(folder, 'empty');
    await createOverlay(base, path, { limitBytes });
    const { size, blocks } = await stat(path);
    expect(size).toBe(limitBytes);
    expect(blocks * 512).toBeLessThan(bytesPerMib);
    expect(await backingFile(path)).toBe(base);
  });

  it('takes no more than that, says so at the write that would need more, and is whole afterwards', async () => {
    const path = join(folder, 'full');
    await createOverlay(base, path, { limitBytes });
    expect(await inSlice(path, limitBytes, 'write -P 7 0 20M')).toContain('wrote 20971520');
    expect(await inSlice(path, limitBytes, 'write 500M 20M')).toContain('write failed: No space left on device');
    expect((await stat(path)).size).toBe(limitBytes);
    expect(await inSlice(path, limitBytes, 'read -P 7 0 20M')).toContain('read 20971520');
    expect(await runTool('qemu-img', ['check', path])).toContain('No errors were found');
  });

  it('gives back what the guest discards', async () => {
    const path = join(folder, 'discarded');
    await createOverlay(base, path, { limitBytes });
    expect(await inSlice(path, limitBytes, 'write 0 20M', 'discard 0 20M', 'write 500M 20M')).not.toContain('failed');
  });
});
