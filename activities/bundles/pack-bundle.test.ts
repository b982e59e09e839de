import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { serviceSpecDefaults } from '../../workflows/contract/service.ts';
import { bytesPerMib } from '../../workflows/contract/units.ts';
import type { BundleManifest } from './bundle-manifest.ts';
import { publicKeyText, signingKey } from './bundle-signature.ts';
import { packBundle, type PackInput } from './pack-bundle.ts';
import { readMembers } from './read-members.ts';
import { tarArchive, type TarMember } from '../../test/support/tar-archive.ts';
import { pycloudJson, testHypervisor, unpackInput, withTestFolder } from './test-support/test-bundle.ts';
import type { UnpackInput } from './bundle-contents.ts';
import { unpackBundle } from './unpack-bundle.ts';

// Programs that compress take their time on a machine that has other things to do.
vi.setConfig({ testTimeout: 60_000 });

const observer = { signal: new AbortController().signal, onBytes: () => undefined };
const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');
const name = 'a.service.with.a.name.that.is.longer.than.the.hundred.bytes.which.a.tar.header.of.the.old.kind.has.room.for';
const files = { disk: randomBytes(bytesPerMib + 1), 'saved-disk': randomBytes(70_000), 'saved-memory': randomBytes(512) };

interface Packed {
  readonly bytes: Buffer;
  readonly folder: string;
  readonly publicKey: string;
  readonly written: { readonly sha256: string; readonly sizeBytes: number };
}

/** Packs a service, and lets the test do what it likes with the bundle. */
const withBundle = <T>(work: (packed: Packed) => Promise<T>, input: Partial<PackInput> = {}): Promise<T> =>
  withTestFolder(async (folder) => {
    const description = pycloudJson({ service_id: name, vm_image: { disk_image: `${name}.qcow2`, state_image: '' } });
    const member = (memberName: string, role: BundleManifest['members'][number]['role'], bytes: Buffer | string) => ({
      name: memberName,
      role,
      sizeBytes: Buffer.byteLength(bytes),
      sha256: sha256(bytes),
    });
    const path = (role: keyof typeof files) => join(folder, role);
    for (const [role, bytes] of Object.entries(files)) await writeFile(join(folder, role), bytes);
    const signingKeyPath = join(folder, 'key');
    const publicKey = publicKeyText(await signingKey(signingKeyPath));
    const file = join(folder, 'packed.csvm');
    const written = await packBundle(
      {
        file,
        folder,
        compression: 'none',
        signingKeyPath,
        manifest: {
          format: 'cloudlet-bundle',
          formatVersion: 1,
          createdAt: new Date(0).toISOString(),
          imageVersion: 3,
          spec: { ...serviceSpecDefaults, tags: [], serviceId: name, ports: [{ name: 'http', protocol: 'tcp', guestPort: 80 }] },
          hypervisor: testHypervisor,
          hostCpu: 'Test CPU',
          saved: { under: testHypervisor, memoryMib: 64, vcpus: 1 },
          members: [
            member('service.json', 'service', description),
            member(`${name}.qcow2`, 'disk', files.disk),
            member(`${name}.qcow2.lqs`, 'state', ''),
            member('saved-disk.qcow2', 'saved-disk', files['saved-disk']),
            member('saved-memory.save', 'saved-memory', files['saved-memory']),
          ],
        },
        contents: {
          'service.json': { text: description },
          [`${name}.qcow2`]: { path: path('disk') },
          [`${name}.qcow2.lqs`]: { text: '' },
          'saved-disk.qcow2': { path: path('saved-disk') },
          'saved-memory.save': { path: path('saved-memory') },
        },
        ...input,
      },
      observer,
    );
    return work({ bytes: await readFile(file), folder, publicKey, written });
  });

const unpackAs = async (folder: string, bytes: Buffer, input: Partial<UnpackInput>) =>
  unpackBundle(await unpackInput(folder, bytes, input), observer);

/** The members of a bundle, so that a test can put others in their place. */
async function membersOf(bytes: Buffer): Promise<TarMember[]> {
  const members: TarMember[] = [];
  const whole = (async function* () {
    yield bytes;
  })();
  for await (const member of readMembers(whole)) {
    const pieces: Buffer[] = [];
    for await (const piece of member.content()) pieces.push(piece);
    members.push({ name: member.name, content: Buffer.concat(pieces) });
  }
  return members;
}

describe('a bundle of ours', () => {
  it.each(['none', 'gzip', 'zstd'] as const)('comes back as it went, compressed by %s', (compression) =>
    withBundle(
      async ({ bytes, folder, publicKey, written }) => {
        expect(written).toMatchObject({ sha256: sha256(bytes), sizeBytes: bytes.length });
        const unpacked = await unpackAs(folder, bytes, { policy: 'trusted', trustedKeys: [publicKey] });
        expect(unpacked).toMatchObject({
          serviceId: name,
          spec: { ports: [{ name: 'http', protocol: 'tcp', guestPort: 80 }], maximumUsers: 1000 },
          disk: { sha256: sha256(files.disk) },
          saved: { disk: { sha256: sha256(files['saved-disk']) }, memory: { sha256: sha256(files['saved-memory']) }, memoryMib: 64 },
          publisher: { publicKey, trusted: true },
          notes: [],
        });
        expect((await readFile(unpacked.saved!.memory.path)).equals(files['saved-memory'])).toBe(true);
      },
      { compression },
    ),
  );

  it('is read by the library that pycloud reads with, by the names in its description', () =>
    withBundle(async ({ bytes, folder }) => {
      const file = join(folder, 'for-pycloud.csvm');
      await writeFile(file, bytes);
      const reader = `
import hashlib, json, sys, tarfile
with tarfile.open(sys.argv[1], 'r:*') as bundle:
    service = json.loads(bundle.extractfile('service.json').read())
    image = service['vm_image']
    print(service['service_id'], service['port'], hashlib.sha256(bundle.extractfile(image['disk_image']).read()).hexdigest())`;
      const said = execFileSync('python3', ['-c', reader, file], { encoding: 'utf8' });
      expect(said.trim()).toBe(`${name} 9001 ${sha256(files.disk)}`);
    }));

  it('keeps the key that signs it to our own user', () =>
    withBundle(async ({ folder }) => expect((await stat(join(folder, 'key'))).mode & 0o777).toBe(0o600)));

  it.each<[string, Partial<UnpackInput>, RegExp]>([
    ['of a publisher whom nobody trusts', {}, /nobody whom this cloudlet trusts/],
    ['for another QEMU', { hypervisor: { ...testHypervisor, qemuVersion: '9.0.0' } }, /needs QEMU 7\.2\.0/],
  ])('boots cold where its saved state is %s', (_case, input, reason) =>
    withBundle(async ({ bytes, folder, publicKey }) => {
      const unpacked = await unpackAs(folder, bytes, { ...(input.hypervisor ? { trustedKeys: [publicKey] } : {}), ...input });
      expect(unpacked.saved).toBeUndefined();
      expect(unpacked.notes).toEqual([expect.stringMatching(reason)]);
    }),
  );

  it('is refused by who trusts others only', () =>
    withBundle(async ({ bytes, folder }) => {
      await expect(unpackAs(folder, bytes, { policy: 'trusted', trustedKeys: ['A'.repeat(43)] })).rejects.toThrow(
        /none that this cloudlet trusts/,
      );
      await expect(unpackAs(folder, bytes, { policy: 'signed' })).resolves.toMatchObject({ publisher: { trusted: false } });
    }));

  const edited = (edit: (member: TarMember) => TarMember[]) => async (bytes: Buffer) => tarArchive((await membersOf(bytes)).flatMap(edit));
  const of = (memberName: string, change: (content: Buffer) => Buffer | string) =>
    edited((member) => [member.name === memberName ? { ...member, content: change(member.content as Buffer) } : member]);
  const firstByteFlipped = (content: Buffer) => Buffer.concat([Buffer.from([content[0]! ^ 1]), content.subarray(1)]);

  it.each<[string, (bytes: Buffer) => Promise<Buffer>, string, RegExp]>([
    ['has another disk', of(`${name}.qcow2`, firstByteFlipped), 'checksum-mismatch', /SHA-256/],
    ['has another description', of('service.json', (body) => String(body).replace('9001', '9002')), 'checksum-mismatch', /SHA-256/],
    ['has another saved memory, though nobody would use it', of('saved-memory.save', firstByteFlipped), 'checksum-mismatch', /SHA-256/],
    ['has a shorter disk', of(`${name}.qcow2`, (body) => body.subarray(1)), 'unprocessable-bundle', /its manifest says/],
    [
      'has another manifest',
      of('cloudlet-manifest.json', (body) => String(body).replace('"guestPort": 80', '"guestPort": 81')),
      'unprocessable-bundle',
      /somebody changed it/,
    ],
    [
      'is of a later format',
      of('cloudlet-manifest.json', (body) => String(body).replace('"formatVersion": 1', '"formatVersion": 2')),
      'unprocessable-bundle',
      /format 2/,
    ],
    [
      'has a signature of another key',
      of('cloudlet-signature.json', (body) => String(body).replace(/"publicKey":"[^"]+/, `"publicKey":"${'A'.repeat(43)}`)),
      'unprocessable-bundle',
      /somebody changed it/,
    ],
    [
      'has a signature that is none',
      of('cloudlet-signature.json', () => '{"algorithm":"none"}'),
      'unprocessable-bundle',
      /not as it should be/,
    ],
    ['lacks a member', edited((member) => (member.name === 'saved-disk.qcow2' ? [] : [member])), 'unprocessable-bundle', /is missing/],
    [
      'has a member more',
      edited((member) => (member.name === 'service.json' ? [member, { name: 'more', content: 'x' }] : [member])),
      'unprocessable-bundle',
      /does not name/,
    ],
    [
      'does not begin with its manifest',
      edited((member) => (member.name === 'cloudlet-manifest.json' ? [{ name: 'x.txt' }, member] : [member])),
      'unprocessable-bundle',
      /not its first/,
    ],
  ])('is refused when it %s', (_case, change, code, reason) =>
    withBundle(async ({ bytes, folder }) => {
      await expect(unpackAs(folder, await change(bytes), {})).rejects.toMatchObject({
        code,
        message: expect.stringMatching(reason) as string,
      });
    }),
  );

  it('is not written of an image that is damaged', async () => {
    const otherContents = { contents: new Proxy({}, { get: () => ({ path: import.meta.filename }) }) };
    await expect(withBundle(async () => undefined, otherContents)).rejects.toMatchObject({ code: 'image-unavailable' });
  });
});
