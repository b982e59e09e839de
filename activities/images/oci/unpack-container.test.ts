import { randomBytes } from 'node:crypto';
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf, dockerArchive, ociArchive, type TestImage } from '../../../test/support/container-archive.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { tarArchive, type TarMember } from '../../../test/support/tar-archive.ts';
import { CloudletError } from '../../../workflows/contract/errors.ts';
import { unpackContainer, type ContainerArchive, type UnpackedContainer } from './unpack-container.ts';
import { unpackLimits, type UnpackLimits } from './unpack-limits.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cloudlet-oci-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ports = [{ name: 'http', protocol: 'tcp', guestPort: 8080 } as const];
type More = Partial<Omit<ContainerArchive, 'path'>> & { readonly limits?: Partial<UnpackLimits>; readonly signal?: AbortSignal };

/** Those that this process has started and that still run. */
async function unzstdPrograms(): Promise<readonly string[]> {
  const statuses = await Promise.all(
    (await readdir('/proc')).filter(Number).map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')),
  );
  return statuses.filter((status) => new RegExp(`^\\d+ \\((zstd|prlimit)\\) [^Z] ${process.pid} `).test(status));
}

let count = 0;
/** @returns what came of it, and a way to look at its root */
async function unpack(archive: Buffer, { limits, signal = new AbortController().signal, ...more }: More = {}) {
  const workDirectory = join(folder, `${(count += 1)}`);
  const path = `${workDirectory}.tar`;
  await mkdir(workDirectory);
  await writeFile(path, archive);
  const source = { path, spec: { serviceId: 'My.Service_1', ports }, ...more };
  const unpacked = await unpackContainer(source, { workDirectory, signal, progress: () => undefined }, { ...unpackLimits, ...limits });
  const at = (name: string): string => join(unpacked.root.directory, name);
  return { ...unpacked, at, text: (name: string) => readFile(at(name), 'utf8'), names: (name: string) => readdir(at(name)) };
}

const app: TarMember = { name: 'bin/app', content: '#!/bin/sh\n', mode: 0o755 };
const file = (name: string, content = name): TarMember => ({ name, content });
const link = (name: string, linkName: string): TarMember => ({ name, type: '2', linkName });
const hardLink = (name: string, linkName: string): TarMember => ({ name, type: '1', linkName });
const directory = (name: string, more: Partial<TarMember> = {}): TarMember => ({ name, type: '5', ...more });
const image = (...layers: TestImage['layers']): TestImage => ({ layers: [[app], ...layers] });

describe('an archive', () => {
  it.each<readonly [string, Buffer]>([
    ['of docker save', dockerArchive([image([file('data')])])],
    ['of docker save, gzip as a whole', gzipSync(dockerArchive([image([file('data')])]))],
    ['of docker save, zstd as a whole', zstdCompressSync(dockerArchive([image([file('data')])]))],
    ['of docker save with gzip layers', dockerArchive([{ ...image([file('data')]), compression: 'gzip' }])],
    ['in the OCI layout', ociArchive([image([file('data')])])],
    ['in the OCI layout with gzip layers', ociArchive([{ ...image([file('data')]), compression: 'gzip' }])],
    ['in the OCI layout with zstd layers', ociArchive([{ ...image([file('data')]), compression: 'zstd' }])],
    ['in the OCI layout with an index of its own', ociArchive([image([file('data')])], { nested: true })],
  ])('%s is unpacked', async (_, archive) => {
    const { text, process } = await unpack(archive);
    expect(await text('data')).toBe('data');
    expect(process.command).toEqual(['/bin/app']);
  });

  it('may have zstd layers of several frames, and frames to skip, as podman writes them', async () => {
    const plain = tarArchive([app, file('data', 'x'.repeat(10_000))]);
    const skipped = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
    const packed = Buffer.concat([zstdCompressSync(plain.subarray(0, 3000)), zstdCompressSync(plain.subarray(3000)), skipped]);
    const rootfs = { diff_ids: [digestOf(plain)] };
    const archive = ociArchive([{ layers: [{ bytes: packed }], alter: (config) => ({ ...config, rootfs }) }]);
    expect(await (await unpack(archive)).text('data')).toHaveLength(10_000);
  });

  it('may have a link where a layer is the same as another, as docker save once did', async () => {
    const layer = { bytes: tarArchive([app]) };
    const plain = dockerArchive([{ layers: [layer] }]);
    const hex = /([0-9a-f]{64})\/layer\.tar/.exec(plain.toString('latin1'))![1]!;
    const twice = dockerArchive([{ layers: [layer, layer] }]);
    expect((await unpack(twice)).process.command).toEqual(['/bin/app']);
    const linked = dockerArchive([{ layers: [layer] }], [link('other/layer.tar', `../${hex}/layer.tar`)]);
    expect((await unpack(linked)).process.command).toEqual(['/bin/app']);
  });

  const two = (names: readonly [string, string]) =>
    names.map((name) => ({ ...image([file('name', name)]), names: [name] })) as readonly TestImage[];

  it.each(['docker.io/library/web:latest', 'web:latest', 'web'])('with several images is asked for one by %s', async (name) => {
    const archive = ociArchive(two(['docker.io/library/web:latest', 'db:1']));
    expect(await (await unpack(archive, { image: name })).text('name')).toContain('web');
  });

  it.each([undefined, 'cache'])('with several images is no answer to %s, and says which there are', async (name) => {
    const asked = unpack(dockerArchive(two(['web:latest', 'db:1'])), name === undefined ? {} : { image: name });
    await expect(asked).rejects.toMatchObject({ code: 'invalid-input', message: expect.stringContaining('web:latest, db:1') });
  });

  it('for several platforms is taken for that of the guests', async () => {
    const platforms = ['arm64', 'amd64'].map((architecture) => ({ ...image([file('made-for', architecture)]), architecture }));
    expect(await (await unpack(ociArchive(platforms, { nested: true }))).text('made-for')).toBe('amd64');
  });
});

describe('a layer', () => {
  it('changes what those below it have put there', async () => {
    const { text, names } = await unpack(
      dockerArchive([
        image(
          [
            directory('etc/'),
            file('etc/a', '1'),
            file('etc/b', '1'),
            file('dir/x'),
            file('dir/y'),
            file('full/x'),
            file('gone/x'),
            file('was'),
          ],
          [file('etc/a', '2'), file('etc/.wh.b', ''), file('dir/z'), file('full/new'), file('full/.wh..wh..opq', ''), file('.wh.gone', '')],
          [file('.wh..wh.plnk', '')],
        ),
      ]),
    );
    expect(await text('etc/a')).toBe('2');
    expect((await names('etc')).toSorted()).toEqual(['a', 'hostname', 'hosts', 'resolv.conf']);
    expect((await names('dir')).toSorted()).toEqual(['x', 'y', 'z']);
    expect(await names('full')).toEqual(['new']);
    expect((await names('.')).toSorted()).toEqual(['bin', 'dev', 'dir', 'etc', 'full', 'proc', 'sys', 'tmp', 'was']);
  });

  it('puts a directory over a file, and a file over a directory', async () => {
    const { text } = await unpack(
      dockerArchive([image([file('a'), file('b/x')], [directory('a/'), file('a/x', 'in a'), file('b', 'now b')])]),
    );
    expect([await text('a/x'), await text('b')]).toEqual(['in a', 'now b']);
  });

  it('follows links inside of the image, as a container runtime does', async () => {
    const { text, at } = await unpack(
      dockerArchive([image([directory('usr/lib/'), link('lib', 'usr/lib'), link('var/run', '/run')], [file('lib/a'), file('var/run/b')])]),
    );
    expect([await text('usr/lib/a'), await text('run/b')]).toEqual(['lib/a', 'var/run/b']);
    expect(await readlink(at('var/run'))).toBe('/run');
  });

  it('keeps hard links, whatever becomes of the name that they were made by', async () => {
    const { text, at } = await unpack(
      dockerArchive([image([file('a', 'kept'), hardLink('b', 'a'), hardLink('c', '/a'), hardLink('a', 'a')], [file('.wh.a', '')])]),
    );
    expect(await text('b')).toBe('kept');
    expect((await lstat(at('b'))).ino).toBe((await lstat(at('c'))).ino);
  });

  it('keeps names and links of any bytes', async () => {
    const name = 'a "b" \u00e9 \t$(x)';
    const { text, at } = await unpack(
      dockerArchive([image([file(name, 'odd'), link('l', '../../etc/shadow'), file('d'.repeat(240), 'long')])]),
    );
    expect(await text(name)).toBe('odd');
    expect(await readlink(at('l'))).toBe('../../etc/shadow');
    expect(await text('d'.repeat(240))).toBe('long');
  });

  it('keeps owners, set-user-id bits and capabilities for the guest alone', async () => {
    const capability = Buffer.from('0000000200040000000000000000000000000000', 'hex');
    const { root, at } = await unpack(
      dockerArchive([
        image([
          { ...file('su'), mode: 0o4755 },
          { ...file('ping'), mode: 0o755, pax: { 'SCHILY.xattr.security.capability': capability, 'SCHILY.xattr.security.selinux': 'x' } },
          { ...file('closed'), mode: 0o000, uid: 1000, gid: 2000 },
          { ...directory('tmp'), mode: 0o1777 },
        ]),
      ]),
    );
    expect((await lstat(at('su'))).mode & 0o7777).toBe(0o755);
    expect((await lstat(at('closed'))).uid).toBe(process.getuid!());
    expect(root.settings).toEqual(
      expect.arrayContaining([
        'set_inode_field "/su" mode 0104755',
        'set_inode_field "/closed" uid 1000',
        'set_inode_field "/closed" gid 2000',
        'set_inode_field "/closed" mode 0100000',
        'set_inode_field "/tmp" mode 041777',
        expect.stringMatching(/^ea_set -f ".*attribute-1" "\/ping" "security\.capability"$/),
      ]),
    );
    expect(root.settings!.join()).not.toContain('selinux');
  });

  it('counts what its tree needs, files with two names once', async () => {
    const { root } = await unpack(dockerArchive([image([file('a', 'x'.repeat(5000)), hardLink('b', 'a')])]));
    // bin, app, a, dev, proc, sys, tmp, etc and its three files
    expect(root.size.inodes).toBe(11);
  });

  it('may be written as some tools do: with its root named, and without its end', async () => {
    const written = tarArchive([directory('/'), app, file('last', 'x'.repeat(700))]);
    const layer = { bytes: written.subarray(0, written.indexOf('x'.repeat(700)) + 700) };
    expect(await (await unpack(dockerArchive([{ layers: [layer] }]))).text('last')).toHaveLength(700);
  });

  it('may leave devices in /dev to the guest', async () => {
    const { names } = await unpack(dockerArchive([image([{ name: 'dev/null', type: '3' }])]));
    expect(await names('dev')).toEqual([]);
  });
});

describe('a hostile archive is refused', () => {
  const evil = (...members: TarMember[]): Buffer => dockerArchive([image(members)]);
  const deep = Array.from({ length: 200 }, (_, level) => `d${level}`).join('/');
  const zeros = file('zeros', '\0'.repeat(2 ** 20));
  const bomb = (compression: 'gzip' | 'zstd') => ociArchive([{ ...image([zeros]), compression }]);
  const nestedJson = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const good = ociArchive([image([file('data', 'x'.repeat(4096))])]);
  const nestedIndexes = (levels: number): Buffer => {
    const members: TarMember[] = [];
    let index = JSON.stringify({ manifests: [] });
    for (let level = 0; level < levels; level += 1) {
      const digest = digestOf(Buffer.from(index));
      members.push(file(`blobs/sha256/${digest.slice(7)}`, index));
      index = JSON.stringify({ manifests: [{ mediaType: 'application/vnd.oci.image.index.v1+json', digest, size: index.length }] });
    }
    return tarArchive([...members, file('index.json', index)]);
  };
  const small: Partial<UnpackLimits> = { ratioFromBytes: 0, ratio: 10 };

  const refusals: readonly (readonly [what: string, archive: Buffer, code: string, says: string, limits?: Partial<UnpackLimits>])[] = [
    ['a name that leads outside', evil(file('a/../../escape')), 'unsafe-image', 'leads outside'],
    ['an absolute name', evil(file('/etc/passwd')), 'unsafe-image', 'is absolute'],
    ['a file through a link that leads outside', evil(link('a', '../../../tmp'), file('a/escape')), 'unsafe-image', 'leads outside'],
    ['a link that leads in a circle', evil(link('a', 'b'), link('b', 'a'), file('a/x')), 'unsafe-image', 'in a circle'],
    ['a file below a file', evil(file('a'), file('a/b')), 'unsafe-image', 'not a directory'],
    ['a hard link that leads outside', evil(hardLink('a', '../../etc/shadow')), 'unsafe-image', 'leads outside'],
    ['a hard link to what is only on the host', evil(hardLink('a', '/etc/shadow')), 'unsafe-image', 'no file in it'],
    ['a hard link to a directory', evil(directory('d/'), hardLink('a', 'd')), 'unsafe-image', 'no file in it'],
    ['a device', evil({ name: 'sda', type: '4' }), 'unsafe-image', 'is a device'],
    ['a named pipe', evil({ name: 'pipe', type: '6' }), 'unsafe-image', 'named pipe'],
    ['a whiteout of its own directory', evil(file('a/.wh...', '')), 'unsafe-image', 'from within'],
    ['a whiteout of the parent', evil(file('a/.wh.', '')), 'unsafe-image', 'from within'],
    ['a line break in a name', evil(file('a\nset_inode_field <2> uid 7')), 'unsafe-image', 'line break'],
    ['a link for a root', evil({ name: './', type: '2', linkName: '/' }), 'unsafe-image', 'root is not a directory'],
    ['a link for /proc', evil(link('proc', '/etc')), 'unsafe-image', '/proc in it'],
    ['directories nested too deep', evil(file(`${deep}/x`)), 'unsafe-image', 'nested too deep'],
    [
      'directories nested too deep by way of links',
      evil(directory('a/b/c/'), link('l', 'a/b/c'), directory('l/d/e/'), link('m', 'l/d/e'), directory('m/f/g/')),
      'unsafe-image',
      'nested too deep',
      { depth: 5 },
    ],
    ['too many files', evil(file('a'), file('b')), 'unsafe-image', 'more than 2 files', { entries: 2 }],
    ['too much in its files', evil(file('a', 'x'.repeat(100))), 'unsafe-image', 'hold more than 64 bytes', { contentBytes: 64 }],
    ['a gzip bomb', bomb('gzip'), 'unsafe-image', '10 times as much', small],
    ['a zstd bomb', bomb('zstd'), 'unsafe-image', '10 times as much', small],
    ['a bomb as a whole', gzipSync(dockerArchive([image([zeros])])), 'unsafe-image', '10 times as much', small],
    ['a file of an absurd size', evil({ ...file('a'), sizeBytes: 2 ** 32 }), 'unprocessable-bundle', 'ends in the middle'],
    ['a sparse file', evil({ ...file('a'), type: 'S' }), 'unprocessable-bundle', 'of a type'],
    ['absurd numbers', evil({ ...file('a'), pax: { size: '-5' } }), 'unprocessable-bundle', 'absurd size'],
    ['attributes for all files', evil({ name: 'g', type: 'g', content: '15 path=/etc/x\n' }), 'unprocessable-bundle', 'global header'],
    ['a huge extended header', evil({ name: 'x', type: 'x', sizeBytes: 2 ** 24 }), 'unsafe-image', 'header in it has'],
    [
      'huge extended attributes',
      evil({ ...file('a'), pax: { 'SCHILY.xattr.user.x': 'x'.repeat(5000) } }),
      'unsafe-image',
      'of extended attributes',
    ],
    [
      'a layer that is no tar',
      dockerArchive([image({ bytes: Buffer.from('no tar '.repeat(200)) })]),
      'unprocessable-bundle',
      'no tar archive',
    ],
    [
      'a layer that is cut off',
      dockerArchive([image({ bytes: tarArchive([file('a', 'x'.repeat(4096))]).subarray(0, 2048) })]),
      'unprocessable-bundle',
      'ends in the middle',
    ],
    ['no tar', Buffer.from('PK'.repeat(1000)), 'unprocessable-bundle', 'no tar archive'],
    ['an empty file', Buffer.alloc(0), 'unprocessable-bundle', 'it is empty'],
    ['another archive', tarArchive([file('readme')]), 'unprocessable-bundle', 'neither manifest.json'],
    ['an archive that is cut off', good.subarray(0, good.indexOf('xxxx') + 100), 'unprocessable-bundle', 'ends in the middle'],
    ['an archive whose zstd is cut off', zstdCompressSync(good).subarray(0, -20), 'unprocessable-bundle', 'damaged or cut off'],
    ['an archive whose gzip is cut off', gzipSync(good).subarray(0, -20), 'unprocessable-bundle', 'damaged or cut off'],
    ['a name twice in the archive', dockerArchive([image()], [file('manifest.json', '[]')]), 'unprocessable-bundle', 'twice'],
    ['too many files in the archive', good, 'unprocessable-bundle', 'more than 3 files', { archiveMembers: 3 }],
    [
      'a missing blob',
      ociArchive([image()], { without: (blob) => blob.includes('bin/app\0') }),
      'unprocessable-bundle',
      'missing in the archive',
    ],
    ['bad JSON', tarArchive([file('manifest.json', '[{')]), 'unprocessable-bundle', 'not JSON'],
    ['JSON of the wrong shape', tarArchive([file('manifest.json', '[{"Config":7}]')]), 'unprocessable-bundle', 'not what it should be'],
    ['deeply nested JSON', tarArchive([file('manifest.json', nestedJson)]), 'unprocessable-bundle', 'not what it should be'],
    ['huge JSON', tarArchive([file('manifest.json', ' '.repeat(5 * 2 ** 20))]), 'unprocessable-bundle', 'bytes'],
    [
      'a layout of another version',
      tarArchive([file('oci-layout', '{"imageLayoutVersion":"2.0"}'), file('index.json', '{}')]),
      'unprocessable-bundle',
      'not what it should be',
    ],
    [
      'fewer digests than layers',
      dockerArchive([{ ...image(), alter: (config) => ({ ...config, rootfs: { diff_ids: [] } }) }]),
      'unprocessable-bundle',
      'digests of 0',
    ],
    ['too many layers', dockerArchive([image([], [], [])]), 'unprocessable-bundle', 'more than 2 layers', { layers: 2 }],
    ['an index in an index in an index …', nestedIndexes(5), 'unprocessable-bundle', 'nested too deep'],
    ['another platform', dockerArchive([{ ...image(), architecture: 'arm64' }]), 'unprocessable-bundle', 'made for linux/arm64'],
    ['no program', dockerArchive([{ ...image(), config: {} }]), 'unprocessable-bundle', 'names no program'],
    [
      'a program that is not there',
      dockerArchive([{ ...image(), config: { Cmd: ['serve'] } }]),
      'unprocessable-bundle',
      'holds no such program',
    ],
    [
      'a user who is not there',
      dockerArchive([{ ...image(), config: { Cmd: ['/bin/app'], User: 'web' } }]),
      'unprocessable-bundle',
      'know no such user',
    ],
  ];

  it.each(refusals.map(([what, archive, code, says, limits = {}]) => ({ what, archive, code, says, limits })))(
    'for $what',
    async ({ archive, code, says, limits }) => {
      const before = await readdir(folder);
      await expect(unpack(archive, { limits })).rejects.toMatchObject({
        code,
        message: expect.stringContaining(says),
      });
      const added = (await readdir(folder)).filter((name) => !before.includes(name));
      expect(added.toSorted()).toEqual([`${count}`, `${count}.tar`]);
    },
  );

  const altered = (archive: Buffer, from: string, to: string): Buffer => {
    const bytes = Buffer.from(archive);
    bytes.write(to, bytes.indexOf(from), 'latin1');
    return bytes;
  };
  it.each<readonly [string, Buffer]>([
    ['a layer', altered(good, 'xxxx', 'evil')],
    ['a layer of docker save', altered(dockerArchive([image([file('data', 'xxxx')])]), 'xxxx', 'evil')],
    ['a configuration', altered(good, '"/bin/app"', '"/bin/ash"')],
    ['a configuration of docker save', altered(dockerArchive([image()]), '"/bin/app"', '"/bin/ash"')],
    ['a manifest', altered(good, '"schemaVersion":2,"config"', '"schemaVersion":1,"config"')],
  ])('for bytes of %s that are not what they were said to be', async (_, archive) => {
    await expect(unpack(archive)).rejects.toMatchObject({ code: 'checksum-mismatch' });
  });

  it('or unpacked, and nothing else, whatever bytes of it are damaged', async () => {
    const archives = [
      good,
      dockerArchive([image([directory('d/'), link('l', 'd'), file('l/x')])]),
      ociArchive([{ ...image([app]), compression: 'zstd' }]),
    ];
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...archives), damage, async (archive, changes) => {
        const bytes = Buffer.from(archive);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const refusal: unknown = await unpack(bytes).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (refusal !== undefined && !(refusal instanceof CloudletError)) throw refusal;
      }),
      { numRuns: 150 },
    );
    expect((await readdir(folder)).filter((name) => !/^\d+(\.tar)?$/.test(name))).toEqual([]);
  });

  it('or unpacked, and nothing else, whatever its layers say', async () => {
    const part = fc.constantFrom('a', 'b', 'c', '..', '.', '', 'etc', 'proc', '.wh.a', '.wh.b', '.wh..wh..opq', '.wh.', '.wh..');
    const place = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    const member: fc.Arbitrary<TarMember> = fc.record({
      name: place,
      type: fc.constantFrom('0', '0', '1', '2', '5'),
      linkName: fc.oneof(
        place,
        fc.constant('/'),
        place.map((target) => `/${target}`),
      ),
      content: fc.constantFrom('', 'x'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(member, { maxLength: 8 }), { minLength: 1, maxLength: 3 }), async (layers) => {
        const sizes = ({ type, content }: TarMember) => (type === '0' ? { content: content ?? '' } : { content: '' });
        const own = layers.map((members) => members.map((given) => ({ ...given, ...sizes(given) })));
        const refusal: unknown = await unpack(dockerArchive([{ layers: [...own, [app]] }])).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (refusal !== undefined && !(refusal instanceof CloudletError)) throw refusal;
      }),
      { numRuns: 300 },
    );
    expect((await readdir(folder)).filter((name) => !/^\d+(\.tar)?$/.test(name))).toEqual([]);
  });

  it('when the disk has no room for it', async () => {
    await expect(unpack(good, { limits: { freeBytes: 2 ** 60 } })).rejects.toMatchObject({
      code: 'capacity-exhausted',
      facts: { resource: 'disk' },
    });
  });

  it('once nobody wants it any more, and no program goes on with it', async () => {
    const files = Array.from({ length: 5000 }, (_, index) => file(`f${index}`, randomBytes(500).toString('latin1')));
    const controller = new AbortController();
    const asked = unpack(ociArchive([{ ...image(files), compression: 'zstd' }]), { signal: controller.signal });
    await eventually(async () => expect(await unzstdPrograms()).toHaveLength(1));
    controller.abort();
    await expect(asked).rejects.toThrow(/abort/);
    await eventually(async () => expect(await unzstdPrograms()).toEqual([]));
  });
});

describe('what the image says of its program', () => {
  const accounts = [
    file('etc/passwd', 'root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv:/bin/sh\n'),
    file('etc/group', 'root:x:0:\nweb:x:34:\nshared:x:50:web\n'),
  ];
  const run = async (config: Record<string, unknown>, more: More = {}): Promise<UnpackedContainer> =>
    unpack(
      dockerArchive([{ ...image([...accounts, link('opt', 'srv'), directory('srv/app/')]), config: { Cmd: ['app'], ...config } }]),
      more,
    );

  it('is found in its PATH, and run with its arguments', async () => {
    const { process, hostname } = await run({ Entrypoint: ['app', "it's"], Cmd: ['-p', '80'], Env: ['GREETING=a b'] });
    expect(process.command).toEqual(['/bin/app', "it's", '-p', '80']);
    expect(process.environment).toEqual([expect.stringMatching(/^PATH=/), 'HOME=/root', 'HOSTNAME=my-service-1', 'GREETING=a b']);
    expect(hostname).toBe('my-service-1');
  });

  it('is changed where the admin says otherwise', async () => {
    const config = { Entrypoint: ['app'], Cmd: ['-p', '80'], Env: ['A=1', 'B=2'] };
    const { process } = await run(config, { environment: { B: 'two', C: 'it is' }, command: ['-p', '81'] });
    expect(process.command).toEqual(['/bin/app', '-p', '81']);
    expect(process.environment.slice(3)).toEqual(['A=1', 'B=two', 'C=it is']);
  });

  it.each<readonly [string, object]>([
    ['', { uid: 0, gid: 0 }],
    ['web', { uid: 33, gid: 34 }],
    ['33', { uid: 33, gid: 34 }],
    ['web:shared', { uid: 33, gid: 50 }],
    ['1000', { uid: 1000, gid: 0 }],
    ['1000:1001', { uid: 1000, gid: 1001 }],
  ])('runs as %s', async (User, expected) => {
    expect((await run({ User })).process).toMatchObject(expected);
  });

  it('runs in its working folder, which is made where it is missing', async () => {
    expect((await run({ WorkingDir: '/opt/app' })).process.directory).toBe('/srv/app');
    const { process, root } = await run({ WorkingDir: '/new/one', Volumes: { '/data': {} } });
    expect(process.directory).toBe('/new/one');
    expect(await readdir(root.directory)).toEqual(expect.arrayContaining(['new', 'data']));
  });

  it('decides the ports where nobody else did', async () => {
    const nobody = { spec: { serviceId: 's', ports: [] } };
    const { ports: exposed } = await run({ ExposedPorts: { '53/udp': {}, '8443/tcp': {}, '80/tcp': {} } }, nobody);
    expect(exposed?.map(({ name }) => name)).toEqual(['tcp-80', 'tcp-8443', 'udp-53']);
    expect((await run({ ExposedPorts: { '80/tcp': {} } })).ports).toBeUndefined();
    for (const ExposedPorts of [{}, { '80/sctp': {} }, { '99999/tcp': {} }]) {
      await expect(run({ ExposedPorts }, nobody)).rejects.toMatchObject({
        code: 'invalid-input',
        message: expect.stringContaining('ports'),
      });
    }
  });
});
