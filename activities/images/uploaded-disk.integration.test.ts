import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PreparedDisk } from '../../workflows/contract/activities.ts';
import type { ImageSource } from '../../workflows/contract/image-source.ts';
import { ovaMembers } from '../bundles/test-support/test-ova.ts';
import { tarArchive, type TarMember } from '../../test/support/tar-archive.ts';
import { dockerArchive } from '../../test/support/container-archive.ts';
import { openStoreLab, type StoreLab } from '../../test/support/api-store.ts';
import { savedState } from '../../test/support/saved-state.ts';
import { testSpec } from '../../test/support/workflow-services.ts';
import { admitBuild, recordBuildFailure } from '../store/builds.ts';
import { Operation } from '../store/entities/operation.ts';
import { completeUpload, createUpload, findUpload } from '../store/uploads.ts';
import { hostPaths, uploadPath, type HostPaths } from './host-paths.ts';
import { createImageActivities } from './image-activities.ts';

let lab: StoreLab;
let paths: HostPaths;
beforeAll(async () => {
  lab = await openStoreLab();
  paths = hostPaths(lab.parts.dataDir.root);
  await mkdir(paths.uploads, { recursive: true });
});
afterAll(() => lab?.close());

const silent = () => undefined;
const activities = () =>
  createImageActivities({
    hostId: lab.hostId,
    paths,
    store: lab.store,
    catalogue: () => undefined,
    log: { info: silent, warn: silent, error: silent },
  });

/** An upload as it lies there when its last byte was verified. */
async function uploaded(write: (path: string) => unknown): Promise<string> {
  const id = randomUUID();
  await createUpload(lab.store, id, { fileName: 'disk.qcow2', sizeBytes: 1, metadata: {}, declaredSha256: null });
  await write(uploadPath(paths, id));
  await completeUpload(lab.store, id, '0'.repeat(64));
  return id;
}

const sourceOf = (uploadId: string): Readonly<Record<'disk' | 'ova' | 'container', ImageSource>> => ({
  disk: { kind: 'upload', uploadId, format: 'qcow2' },
  ova: { kind: 'upload', uploadId, format: 'ova' },
  container: { kind: 'container', uploadId },
});

const build = (uploadId: string, kind: 'disk' | 'ova' | 'container' = 'disk') => buildOf(sourceOf(uploadId)[kind]);

async function buildOf(source: ImageSource) {
  const spec = testSpec();
  const { operationId } = await admitBuild(lab.store, { serviceId: spec.serviceId, principal: 'test' });
  const input = {
    operationId,
    spec,
    source,
    save: false,
  };
  const environment = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', silent) });
  const prepare = (): Promise<PreparedDisk> => environment().run(() => activities().prepareDisk(input));
  return { operationId, input, prepare };
}

const disk = (path: string) => execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', path, '1M']);

it('becomes an image, and is used up when its build succeeds', async () => {
  const id = await uploaded(disk);
  const { operationId, prepare } = await build(id);
  const { diskId } = await prepare();
  expect(await prepare()).toEqual({ diskId });
  expect(await findUpload(lab.store, id)).toMatchObject({ operationId });
  await expect((await build(id)).prepare()).rejects.toMatchObject({ code: 'operation-in-progress' });

  await lab.store.fork().nativeUpdate(Operation, { id: operationId }, { state: 'succeeded' });
  await activities().discardPreparation({ operationId });
  await activities().discardPreparation({ operationId });
  expect([existsSync(uploadPath(paths, id)), existsSync(join(paths.incoming, operationId)), await findUpload(lab.store, id)]).toEqual([
    false,
    false,
    null,
  ]);
});

it('can be built from again when its build failed for another reason', async () => {
  const id = await uploaded(disk);
  const { operationId, input, prepare } = await build(id);
  await prepare();
  await activities().discardPreparation({ operationId });
  await recordBuildFailure(lab.store, input, { code: 'guest-unresponsive', detail: 'It did not boot.', facts: {} });
  expect((await (await build(id)).prepare()).diskId).toMatch(/^[0-9a-f-]{36}$/);
});

it('that is no disk is refused and leaves nothing', async () => {
  const id = await uploaded((path) => writeFile(path, 'not a disk'));
  const { prepare } = await build(id);
  await expect(prepare()).rejects.toMatchObject({ code: 'unsafe-image' });
  expect([existsSync(uploadPath(paths, id)), await findUpload(lab.store, id)]).toEqual([false, null]);
});

it('that points to a file of the host is refused and leaves nothing', async () => {
  const id = await uploaded((path) =>
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-u', '-b', '/etc/shadow', '-F', 'raw', path, '1M']),
  );
  await expect((await build(id)).prepare()).rejects.toMatchObject({
    code: 'unsafe-image',
    message: expect.stringContaining('needs another file'),
  });
  expect(await findUpload(lab.store, id)).toBeNull();
});

it('that is a hostile container image is refused and leaves nothing', async () => {
  const evil = dockerArchive([{ layers: [[{ name: '../escape' }]] }]);
  const id = await uploaded((path) => writeFile(path, evil));
  await expect((await build(id, 'container')).prepare()).rejects.toMatchObject({
    code: 'unsafe-image',
    message: expect.stringContaining('leads outside'),
  });
  expect([existsSync(uploadPath(paths, id)), await findUpload(lab.store, id)]).toEqual([false, null]);
});

it('that holds several container images is kept until it is said which one is meant', async () => {
  const two = dockerArchive(['web:1', 'db:1'].map((name) => ({ layers: [[{ name }]], names: [name] })));
  const id = await uploaded((path) => writeFile(path, two));
  await expect((await build(id, 'container')).prepare()).rejects.toMatchObject({ code: 'invalid-input' });
  expect(existsSync(uploadPath(paths, id))).toBe(true);
});

const ova = (change: (members: TarMember[]) => TarMember[]) => async (path: string) =>
  writeFile(path, tarArchive(change([...(await ovaMembers(paths.uploads))])));

it('that is an OVA becomes an image of its first disk, and tells of its machine', async () => {
  const id = await uploaded(ova((members) => members));
  const { prepare, operationId } = await build(id, 'ova');
  const { diskId, machine } = await prepare();
  expect(diskId).toMatch(/^[0-9a-f-]{36}$/);
  expect((await prepare()).diskId).toBe(diskId);
  expect(await readdir(join(paths.incoming, operationId, 'ova'))).toEqual([]);
  expect(machine).toEqual({ vcpus: 2, memory: { idealMib: 768, minimumMib: 768 } });
});

it.each<[string, string, (members: TarMember[]) => TarMember[]]>([
  ['is no OVA', 'unprocessable-bundle', (members) => members.slice(1)],
  ['leads elsewhere', 'unprocessable-bundle', ([first, ...members]) => [first!, { name: '../x' }, ...members]],
  ['holds another disk than it says', 'checksum-mismatch', (members) => [...members.slice(0, 2), { name: 'first.vmdk', content: 'KDMV' }]],
  ['holds no disk', 'unsafe-image', ([first]) => [first!, { name: 'first.vmdk', content: 'x'.repeat(4096) }]],
])('that is said to be an OVA and %s is refused and leaves nothing', async (_, code, change) => {
  const id = await uploaded(ova(change));
  await expect((await build(id, 'ova')).prepare()).rejects.toMatchObject({ code });
  expect([existsSync(uploadPath(paths, id)), await findUpload(lab.store, id)]).toEqual([false, null]);
});

it('that lies in a folder beside its saved state, as pycloud keeps it, becomes an image without the state', async () => {
  const folder = join(paths.imports, 'speech');
  await mkdir(folder, { recursive: true });
  disk(join(folder, 'speech.qcow2'));
  await writeFile(join(folder, 'speech.qcow2.lqs'), savedState('<domain><memory>1048576</memory><vcpu>2</vcpu></domain>'));
  const { prepare } = await buildOf({ kind: 'pair', folder: 'speech' });
  expect(await prepare()).toMatchObject({
    diskId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    machine: { vcpus: 2, memory: { idealMib: 1024, minimumMib: 1024 } },
    notes: [expect.stringContaining('left out') as string],
  });
  await writeFile(join(folder, 'speech.qcow2'), 'not a disk');
  await expect(prepare()).rejects.toMatchObject({ code: 'unsafe-image' });
});
