import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import { bytesPerMib } from '../../workflows/contract/units.ts';
import type { UnpackInput } from './bundle-contents.ts';
import { inThread } from './in-thread.ts';
import { endOfArchive, tarArchive, tarMember, type TarMember } from '../../test/support/tar-archive.ts';
import { pycloudJson, unpackInput, withTestFolder } from './test-support/test-bundle.ts';
import { unpackBundle } from './unpack-bundle.ts';

// Programs that compress take their time on a machine that has other things to do.
vi.setConfig({ testTimeout: 60_000 });

const observer = { signal: new AbortController().signal, onBytes: () => undefined };
const disk = Buffer.concat([Buffer.from('QFI\xfb', 'latin1'), randomBytes(bytesPerMib + 77)]);
const sha256 = createHash('sha256').update(disk).digest('hex');
const asPycloudWrites: readonly TarMember[] = [
  { name: 'speech.qcow2', content: disk },
  { name: 'speech.qcow2.lqs', content: 'LibvirtQemudSave' },
  { name: 'service.json', content: pycloudJson() },
];
const without = (name: string) => asPycloudWrites.filter((member) => member.name !== name);
const withJson = (changes: Record<string, unknown>) => [
  ...without('service.json'),
  { name: 'service.json', content: pycloudJson(changes) },
];

const unpack = (bytes: Buffer, input: Partial<UnpackInput> = {}) =>
  withTestFolder(async (folder) => {
    const given = await unpackInput(folder, bytes, input);
    const unpacked = await unpackBundle(given, observer);
    return { unpacked, files: await readdir(given.folder), written: await readFile(unpacked.disk.path) };
  });

const compressedBy = (command: string, bytes: Buffer): Buffer =>
  execFileSync(command, ['-c', '-1'], { input: bytes, maxBuffer: 64 * bytesPerMib });

describe('a bundle of pycloud', () => {
  it('gives its disk, byte for byte, and what it says of the service', async () => {
    const { unpacked, files, written } = await unpack(tarArchive(asPycloudWrites));
    expect(written.equals(disk)).toBe(true);
    expect(files).toEqual(['disk']);
    expect(unpacked).toMatchObject({
      serviceId: 'edu.cmu.sei.ams.speech_rec_service',
      disk: { sha256, sizeBytes: disk.length, format: 'qcow2' },
      spec: {
        description: 'Speech recognition',
        tags: ['speech'],
        ports: [{ name: 'main', protocol: 'tcp', guestPort: 9001 }],
        memory: { idealMib: 1024, minimumMib: 512 },
        sharing: 'own',
      },
      publisher: null,
    });
    expect(unpacked.notes).toEqual([expect.stringMatching(/saved state was left out/)]);
  });

  it.each(['gzip', 'pigz', 'bzip2', 'lbzip2', 'xz', 'zstd'])('may be compressed by %s', async (command) => {
    const { unpacked } = await unpack(compressedBy(command, tarArchive(asPycloudWrites)));
    expect(unpacked.disk.sha256).toBe(sha256);
  });

  it.each<[string, readonly TarMember[]]>([
    ['has no state', without('speech.qcow2.lqs')],
    ['has an empty state', [...without('speech.qcow2.lqs'), { name: 'speech.qcow2.lqs' }]],
    ['has its description first', asPycloudWrites.toReversed()],
    ['says its port as a number', withJson({ port: 9001 })],
    ['says its memory as numbers', withJson({ ideal_memory: 2048, min_memory: 512 })],
    [
      'says nothing but what is needed',
      [
        ...without('service.json'),
        { name: 'service.json', content: '{"service_id":"a","vm_image":{"disk_image":"speech.qcow2"},"port":"80"}' },
      ],
    ],
    ['has null where nothing was said', withJson({ description: null, version: null, tags: null, num_users: null, ideal_memory: null })],
    ['was made of a folder', [{ name: './', type: '5' }, ...asPycloudWrites.map((member) => ({ ...member, name: `./${member.name}` }))]],
    ['has its names in extended headers', asPycloudWrites.map((member) => ({ ...member, pax: { path: member.name }, name: 'PaxName' }))],
  ])('is taken although it %s', async (_case, members) => {
    expect((await unpack(tarArchive(members))).unpacked.disk.sha256).toBe(sha256);
  });

  it('lets users join where pycloud was told how many', async () => {
    expect((await unpack(tarArchive(withJson({ num_users: '5' })))).unpacked.spec).toMatchObject({ sharing: 'join', maximumUsers: 5 });
  });
});

const zeros = (mib: number) => Buffer.alloc(mib * bytesPerMib);
const good = tarArchive(asPycloudWrites);

/** Bundles, and what of each is told to whoever brought it. */
const hostile: readonly (readonly [string, () => Buffer, RegExp])[] = [
  ['leads out of its folder', () => tarArchive([{ name: '../disk.qcow2', content: disk }]), /leads out of the bundle/],
  [
    'leads out of its folder in an extended header',
    () => tarArchive([{ name: 'a', pax: { path: '../../a.qcow2' }, content: disk }]),
    /leads out/,
  ],
  ['has an absolute name', () => tarArchive([{ name: '/etc/passwd', content: 'root' }]), /absolute name/],
  ['has a folder', () => tarArchive([{ name: 'etc', type: '5' }]), /is a folder/],
  ['has a name with a folder', () => tarArchive([{ name: 'etc/passwd', content: 'root' }]), /not the plain name/],
  ['has a name with a line end', () => tarArchive([{ name: 'a\nb', content: 'root' }]), /not the plain name/],
  ['has a symbolic link', () => tarArchive([{ name: 'speech.qcow2', type: '2', linkName: '/etc/shadow' }]), /symbolic link/],
  ['has a hard link', () => tarArchive([{ name: 'speech.qcow2', type: '1', linkName: 'service.json' }]), /hard link/],
  ['has a device', () => tarArchive([{ name: 'sda', type: '4' }]), /is a device/],
  ['has a named pipe', () => tarArchive([{ name: 'pipe', type: '6' }]), /named pipe/],
  ['has a sparse file', () => tarArchive([{ name: 'speech.qcow2', type: 'S' }]), /no plain file/],
  ['has a name twice', () => tarArchive([...without('service.json'), { name: 'speech.qcow2', content: disk }]), /twice/],
  [
    'has a name twice, written in two ways',
    () =>
      tarArchive([
        { name: './a', content: 'x' },
        { name: 'a', content: 'y' },
      ]),
    /twice/,
  ],
  ['has two disks', () => tarArchive([{ name: 'other.qcow2', content: disk }, ...asPycloudWrites]), /more than one disk/],
  ['has too many files', () => tarArchive(Array.from({ length: 65 }, (_, index) => ({ name: `f${index}` }))), /more than 64 files/],
  ['has headers without end', () => Buffer.concat(Array.from({ length: 300 }, () => tarMember({ name: 'x', type: 'g' }))), /headers/],
  ['has a header as large as the world', () => tarMember({ name: 'x', type: 'x', sizeBytes: 8e9 }), /header.* too large/],
  ['has an absurd size', () => tarMember({ name: 'speech.qcow2', sizeBytes: 2 ** 52 }), /absurdly large/],
  ['has a document without end', () => tarArchive([{ name: 'service.json', content: zeros(2) }]), /too large/],
  ['is a gzip bomb', () => compressedBy('gzip', tarArchive([{ name: 'speech.qcow2', content: zeros(66) }])), /bomb/],
  ['is an xz bomb', () => compressedBy('xz', tarArchive([{ name: 'speech.qcow2', content: zeros(66) }])), /bomb/],
  ['is a zstd bomb', () => compressedBy('zstd', tarArchive([{ name: 'speech.qcow2', content: zeros(66) }])), /bomb/],
  ['is cut off in a member', () => good.subarray(0, 100_000), /cut off/],
  ['is cut off in a header', () => good.subarray(0, 100), /cut off/],
  ['is cut off between members', () => tarMember(asPycloudWrites[0]!), /cut off/],
  ['is cut off in its compression', () => compressedBy('gzip', good).subarray(0, 100_000), /gzip compression is damaged or cut off/],
  ['lacks the end of its compression', () => compressedBy('xz', good).subarray(0, -20), /xz compression is damaged or cut off/],
  ['has damaged compression', () => flipped(compressedBy('zstd', good), 100_000), /damaged/],
  ['has a wrong checksum in its compression', () => flipped(compressedBy('gzip', good), -6), /gzip compression is damaged/],
  ['has a damaged header', () => flipped(good, 20), /damaged/],
  ['is no archive', () => Buffer.alloc(4096, 'x'), /no tar archive/],
  ['is empty', () => Buffer.alloc(0), /cut off/],
  ['has nothing in it', () => endOfArchive, /empty/],
  ['has no description', () => tarArchive(without('service.json')), /holds no service\.json/],
  ['has no disk', () => tarArchive(without('speech.qcow2')), /does not hold the disk/],
  [
    'names a disk elsewhere',
    () => tarArchive(withJson({ vm_image: { disk_image: '/etc/shadow', state_image: '' } })),
    /does not hold the disk/,
  ],
  [
    'has a description that is no JSON',
    () => tarArchive([...without('service.json'), { name: 'service.json', content: '{' }]),
    /is not JSON/,
  ],
  [
    'has a description that is not UTF-8',
    () => tarArchive([...without('service.json'), { name: 'service.json', content: Buffer.from([0xff]) }]),
    /is not JSON/,
  ],
  [
    'has a list for a description',
    () => tarArchive([...without('service.json'), { name: 'service.json', content: '[]' }]),
    /not as it should be/,
  ],
  ['has a port that is an object', () => tarArchive(withJson({ port: {} })), /\/port/],
  ['has a port that is none', () => tarArchive(withJson({ port: '70000' })), /not one of 1 to 65535/],
  ['has a port that is a word', () => tarArchive(withJson({ port: 'http' })), /is not a number/],
  ['has tags that are numbers', () => tarArchive(withJson({ tags: [1] })), /\/tags/],
  ['has a number for its name', () => tarArchive(withJson({ service_id: 7 })), /\/service_id/],
  ['has a name that leads elsewhere', () => tarArchive(withJson({ service_id: '../x' })), /none that this cloudlet takes/],
  ['has users that are a word', () => tarArchive(withJson({ num_users: 'many' })), /is not a number/],
];

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  const index = at < 0 ? copy.length + at : at;
  copy[index] = copy[index]! ^ 0x55;
  return copy;
}

describe('a bundle is refused that', () => {
  it.each(hostile)('%s', async (_case, bytes, reason) => {
    await expect(unpack(bytes())).rejects.toMatchObject({ code: 'unprocessable-bundle', message: expect.stringMatching(reason) as string });
  });

  it('nobody signed, where only signed ones are taken', async () => {
    await expect(unpack(good, { policy: 'signed' })).rejects.toMatchObject({
      code: 'unprocessable-bundle',
      message: expect.stringMatching(/nobody signed/) as string,
    });
  });
});

describe('in a thread', () => {
  it('comes to the same, says how far it is, and tells errors as they are', () =>
    withTestFolder(async (folder) => {
      const told: number[] = [];
      const result = await inThread('unpack', await unpackInput(folder, good), { ...observer, onBytes: (done) => told.push(done) });
      expect(result.disk.sha256).toBe(sha256);
      expect(told.length).toBeGreaterThan(0);
      await expect(inThread('unpack', await unpackInput(folder, Buffer.alloc(10)), observer)).rejects.toMatchObject({
        code: 'unprocessable-bundle',
      });
    }));

  it('ends with its signal', () =>
    withTestFolder(async (folder) => {
      const input = await unpackInput(folder, good);
      const abort = new AbortController();
      // Reading from a pipe that nobody writes to takes for ever.
      const running = inThread('unpack', input, { ...observer, signal: abort.signal });
      abort.abort(new Error('enough'));
      await expect(running).rejects.toThrow('enough');
    }));
});
