/** Disks of strangers, made with the real qemu-img and then spoilt. */
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diskFormats, type DiskFormat } from '../../workflows/contract/image-source.ts';
import { runTool } from '../run-tool.ts';
import { convertDisk, inspectDisk } from './inspect-disk.ts';

const sizeBytes = 8 * 2 ** 20;
const content = Buffer.from('what the disk holds');
let folder: string;

const file = (name: string) => join(folder, name);
const qemuImg = (...args: string[]) => runTool('qemu-img', args);
const create = async (name: string, format: string, ...options: string[]): Promise<string> => {
  await qemuImg('create', '-q', '-f', format, ...options, file(name), String(sizeBytes));
  return file(name);
};
const writeAt = async (path: string, offset: number, bytes: Uint8Array): Promise<string> => {
  await using handle = await open(path, 'r+');
  await handle.write(bytes, 0, bytes.length, offset);
  return path;
};
const bigEndian64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
};
const refusalOf = (path: string, format: DiskFormat) =>
  inspectDisk(path, format).then(
    () => 'none',
    (error: { code?: string; message: string }) => `${error.code}: ${error.message}`,
  );

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cloudlet-disks-'));
  await writeAt(await create('good.raw', 'raw'), 4096, content);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a disk of one of the formats', () => {
  it.each(diskFormats)('is read and converted, whichever it is: %s', async (format) => {
    const path = file(`good.${format}`);
    if (format !== 'raw') await qemuImg('convert', '-f', 'raw', '-O', format, file('good.raw'), path);
    expect(await inspectDisk(path, format)).toEqual({ virtualSizeBytes: sizeBytes });
    const ours = file(`${format}-converted.qcow2`);
    await convertDisk(path, format, ours);
    const back = file(`${format}-back.raw`);
    await qemuImg('convert', '-f', 'qcow2', '-O', 'raw', ours, back);
    expect((await readFile(back)).subarray(4096, 4096 + content.length)).toEqual(content);
  });

  it('is read where VMware compressed it for a stream', async () => {
    await qemuImg('convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=streamOptimized', file('good.raw'), file('stream.vmdk'));
    expect(await inspectDisk(file('stream.vmdk'), 'vmdk')).toEqual({ virtualSizeBytes: sizeBytes });
  });
});

describe('a disk is refused as unsafe', () => {
  const refusals: readonly (readonly [what: string, make: () => Promise<string>, format: DiskFormat, why: RegExp])[] = [
    ['qcow2 over another disk', () => create('child.qcow2', 'qcow2', '-b', file('good.raw'), '-F', 'raw'), 'qcow2', /needs another file/],
    [
      'qcow2 with its data elsewhere',
      () => create('split.qcow2', 'qcow2', '-o', `data_file=${file('split.data')}`),
      'qcow2',
      /its data in another file/,
    ],
    ['vmdk over another disk', () => create('child.vmdk', 'vmdk', '-b', file('good.vmdk'), '-F', 'vmdk'), 'vmdk', /needs another file/],
    [
      'vmdk that is a description of files',
      () => create('flat.vmdk', 'vmdk', '-o', 'subformat=monolithicFlat'),
      'vmdk',
      /does not begin like one/,
    ],
    [
      'vmdk whose header hides a description',
      async () => writeAt(await create('hollow.vmdk', 'vmdk'), 12, Buffer.alloc(8)),
      'vmdk',
      /only a description of other files/,
    ],
    [
      'qcow2 of absurd size',
      async () => writeAt(await create('huge.qcow2', 'qcow2'), 24, bigEndian64(2n ** 50n)),
      'qcow2',
      /is refused: (its size|qemu-img cannot)/,
    ],
    [
      'qcow2 with a table of absurd size',
      async () => writeAt(await create('table.qcow2', 'qcow2'), 36, Buffer.from([0x7f, 0xff, 0xff, 0xff])),
      'qcow2',
      /qemu-img cannot read it/,
    ],
    ['qcow2 that is said to be raw', async () => file('good.qcow2'), 'raw', /begins like qcow2/],
    ['raw that is said to be qcow2', async () => file('good.raw'), 'qcow2', /does not begin like one/],
    ['vdi that is said to be vhdx', async () => file('good.vdi'), 'vhdx', /does not begin like one/],
    ['vdi over another disk', () => withParent('child.vdi'), 'vdi', /qemu-img cannot read it/],
    ['an encrypted qcow2', encrypted, 'qcow2', /encrypted/],
    ['an empty file', () => writeFile(file('empty.raw'), '').then(() => file('empty.raw')), 'raw', /not a file with something in it/],
    ['a folder', async () => folder, 'raw', /not a file/],
  ];

  it.each(refusals)('%s', async (_, make, format, why) => {
    const refusal = await refusalOf(await make(), format);
    expect(refusal).toMatch(/^unsafe-image: /);
    expect(refusal).toMatch(why);
  });

  it('not where it is not there at all', async () => {
    expect(await refusalOf(file('nowhere.qcow2'), 'qcow2')).toMatch(/^not-found: /);
  });

  /** The identity of a parent, which VirtualBox writes into the differences to it. */
  async function withParent(name: string): Promise<string> {
    await qemuImg('convert', '-f', 'raw', '-O', 'vdi', file('good.raw'), file(name));
    return writeAt(file(name), 0x1a8, Buffer.alloc(16, 7));
  }

  async function encrypted(): Promise<string> {
    await writeFile(file('secret'), 'secret');
    const key = ['--object', `secret,id=key,file=${file('secret')}`, '-o', 'encrypt.format=aes,encrypt.key-secret=key'];
    await qemuImg('create', '-q', '-f', 'qcow2', ...key, file('encrypted.qcow2'), String(sizeBytes));
    return file('encrypted.qcow2');
  }
});
