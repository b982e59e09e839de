import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { savedState } from '../../test/support/saved-state.ts';
import { findPair, readPairState } from './pycloud-pair.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cloudlet-pair-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const put = (...names: readonly string[]) => Promise.all(names.map((name) => writeFile(join(folder, name), '')));

describe('the pair in a folder', () => {
  it.each([
    ['speech.qcow2', 'speech.qcow2.lqs'],
    ['speech.qcow2', 'speech.lqs'],
  ])('is %s with %s, whatever else lies there', async (disk, state) => {
    await put(disk, state, 'base.qcow2', 'old.lqs', 'readme.txt');
    await mkdir(join(folder, 'more.qcow2'));
    expect(await findPair(folder)).toEqual({ diskPath: join(folder, disk), statePath: join(folder, state) });
  });

  it.each<[string, string[], RegExp]>([
    ['nothing', [], /holds no disk with its saved state/],
    ['a disk alone', ['a.qcow2'], /holds no disk/],
    ['a state alone', ['a.qcow2.lqs'], /holds no disk/],
    ['a state of another disk', ['a.qcow2', 'b.qcow2.lqs'], /holds no disk/],
    ['two pairs', ['a.qcow2', 'a.qcow2.lqs', 'b.qcow2', 'b.lqs'], /several pairs: a\.qcow2 with a\.qcow2\.lqs, b\.qcow2 with b\.lqs/],
    ['two states of a disk', ['a.qcow2', 'a.qcow2.lqs', 'a.lqs'], /several pairs/],
  ])('is not known where it holds %s', async (_, names, why) => {
    await put(...names);
    await expect(findPair(folder)).rejects.toMatchObject({ code: 'invalid-input', message: expect.stringMatching(why) as string });
  });

  it('is none of links, which may lead anywhere', async () => {
    await put('a.qcow2');
    await symlink('/etc/passwd', join(folder, 'a.qcow2.lqs'));
    await expect(findPair(folder)).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it('is looked for in a folder that is there', async () => {
    await expect(findPair(join(folder, 'missing'))).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('the saved state of a pair', () => {
  const read = async (bytes: Buffer) => {
    const statePath = join(folder, 'a.qcow2.lqs');
    await writeFile(statePath, bytes);
    return readPairState({ diskPath: join(folder, 'a.qcow2'), statePath });
  };
  const pycloudXml = `<domain type='kvm'><memory unit='KiB'>1048576</memory><currentMemory>1</currentMemory><vcpu>2</vcpu>
    <os><type arch='x86_64' machine='pc-1.0'>hvm</type></os></domain>`;

  it('says what machine it is of, and is left out', async () => {
    expect(await read(savedState(pycloudXml))).toEqual({
      machine: { memory: { minimumMib: 1024, idealMib: 1024 }, vcpus: 2 },
      note: expect.stringContaining('left out: it is that of a machine "pc-1.0"') as string,
    });
  });

  it.each<[string, Buffer, RegExp]>([
    ['is empty', Buffer.alloc(0), /it is empty/],
    ['is none', Buffer.from('QEVM'.repeat(100)), /cannot be read \(Not a saved guest/],
    ['is cut off', savedState(pycloudXml).subarray(0, 40), /cannot be read/],
    ['is cut off in its XML', savedState(pycloudXml).subarray(0, 140), /left out/],
    ['has no XML', savedState('no XML'), /cannot be read/],
    ['has XML without end', savedState('<a>'.repeat(20_000)), /cannot be read/],
    ['says nothing of its machine', savedState('<domain/>'), /machine "unknown"/],
    ['is of an absurd machine', savedState("<domain><memory unit='EiB'>9</memory><vcpu>1e9</vcpu></domain>"), /machine "unknown"/],
  ])('that %s is left out, and no harm', async (_, bytes, why) => {
    expect(await read(bytes)).toEqual({ machine: {}, note: expect.stringMatching(why) as string });
  });
});
