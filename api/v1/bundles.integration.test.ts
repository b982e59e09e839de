import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tarArchive, type TarMember } from '../../test/support/tar-archive.ts';
import { ovaMembers, testOvf } from '../../activities/bundles/test-support/test-ova.ts';
import { runTool } from '../../activities/run-tool.ts';
import { openApiLab, type ApiLab } from '../../test/support/api-lab.ts';
import { uploadFile } from '../../test/support/api-upload.ts';
import { eventually } from '../../test/support/eventually.ts';
import { putBundle } from '../../test/support/workflow-bundles.ts';
import { reconcile } from '../../test/support/workflow-operations.ts';
import type { BundleBody } from '../../workflows/contract/bundle.ts';
import type { OperationBody } from '../../workflows/contract/http.ts';

let lab: ApiLab;
beforeAll(async () => {
  lab = await openApiLab();
});
afterAll(() => lab?.close());

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const newName = () => `test.${randomUUID()}`;

const ask = (method: 'GET' | 'POST' | 'DELETE', url: string, body?: object) => lab.ask(method, url, { headers: lab.asAdmin, body });

/** Asks for an operation, and waits until it has ended. */
async function done(url: string, body: object): Promise<OperationBody> {
  const accepted = await ask('POST', url, body);
  expect(accepted.status).toBe(202);
  const operation = await eventually(async () => {
    const found = (await ask('GET', String(accepted.headers['location']))).body as OperationBody;
    if (found.state === 'running') throw new Error('It still runs');
    return found;
  }, 30_000);
  return operation;
}

const importFile = (file: string, choices: object = {}) => done('/v1/bundles/imports', { source: { kind: 'file', file }, ...choices });

async function imported(change?: (members: TarMember[]) => TarMember[]): Promise<string> {
  const serviceId = newName();
  expect(await importFile(await putBundle(lab, serviceId, change))).toMatchObject({ state: 'succeeded', problem: null });
  return serviceId;
}

async function exported(serviceId: string, compression?: string): Promise<BundleBody> {
  const { state, result } = await done('/v1/bundles', { serviceId, ...(compression ? { compression } : {}) });
  expect(state).toBe('succeeded');
  return (await ask('GET', `/v1/bundles/${String(result!['bundleId'])}`)).body as BundleBody;
}

const download = (id: string, headers: Record<string, string> = {}) =>
  lab.app.inject({ url: `/v1/bundles/${id}/file`, headers: { ...lab.asAdmin, ...headers } });

/** What lies about: images, exported bundles. Files on their way are gone a moment after whoever waits is told. */
async function lying(): Promise<readonly string[]> {
  const { incoming, images, exports } = lab.paths;
  const namesIn = (folder: string) => readdir(folder).catch(() => []);
  await eventually(async () => expect(await namesIn(incoming)).toEqual([]));
  return [...(await namesIn(images)), ...(await namesIn(exports))].toSorted();
}

describe('a bundle that is imported', () => {
  it('becomes a service that can be started', async () => {
    const serviceId = await imported();
    expect((await ask('GET', `/v1/services/${serviceId}`)).body).toMatchObject({
      serviceId,
      startable: true,
      imageVersion: 1,
      ports: [{ name: 'main', protocol: 'tcp', guestPort: 9001 }],
      readiness: { kind: 'tcp', guestPort: 9001 },
    });
    await eventually(async () => expect(await readdir(lab.paths.incoming)).toEqual([]));
  });

  it('can be given another name and other ports', async () => {
    const serviceId = newName();
    const ports = [{ name: 'http', protocol: 'tcp', guestPort: 8080 }];
    expect(await importFile(await putBundle(lab, newName()), { serviceId, ports })).toMatchObject({ state: 'succeeded' });
    expect((await ask('GET', `/v1/services/${serviceId}`)).body).toMatchObject({ ports, readiness: { guestPort: 8080 } });
  });

  it('is refused where there is such a service, unless it is to become its new version', async () => {
    const serviceId = await imported();
    const file = await putBundle(lab, serviceId);
    const before = await lying();
    expect(await importFile(file)).toMatchObject({ state: 'failed', problem: { code: 'name-taken' } });
    expect(await lying()).toEqual(before);
    expect(await importFile(file, { asNewVersion: true })).toMatchObject({ state: 'succeeded', result: { serviceId, version: 2 } });
  });

  it('keeps what its service had where it says nothing itself', async () => {
    const serviceId = await imported();
    const changed = await lab.ask('PATCH', `/v1/services/${serviceId}`, { headers: lab.asAdmin, body: { idleSeconds: 1234 } });
    expect(changed.status).toBe(200);
    await importFile(await putBundle(lab, serviceId), { asNewVersion: true });
    expect((await ask('GET', `/v1/services/${serviceId}`)).body).toMatchObject({ idleSeconds: 1234, imageVersion: 2 });
  });

  it('may be an upload, which is used up', async () => {
    const serviceId = newName();
    const uploadId = await uploadFile(lab, await readFile(join(lab.paths.imports, await putBundle(lab, serviceId))));
    const source = { kind: 'upload', uploadId };
    expect(await done('/v1/bundles/imports', { source })).toMatchObject({ state: 'succeeded' });
    await eventually(async () => expect((await ask('GET', `/v1/uploads/${uploadId}`)).status).toBe(404));
    expect(await done('/v1/bundles/imports', { source })).toMatchObject({ state: 'failed', problem: { code: 'not-found' } });
  });

  const withDisk = (content: Buffer) => (members: TarMember[]) =>
    members.map((member) => (member.name === 'a.qcow2' ? { ...member, content } : member));

  it.each<[string, string, () => Promise<(members: TarMember[]) => TarMember[]>]>([
    ['its disk is none', 'unsafe-image', async () => withDisk(Buffer.from('not a disk, whatever it says'.repeat(100)))],
    ['its disk needs another file', 'unsafe-image', async () => withDisk(await overlay())],
    [
      'its disk is cut off',
      'unsafe-image',
      async () => (members) =>
        members.map((member) =>
          member.name === 'a.qcow2' ? { ...member, content: Buffer.from(member.content as Buffer).subarray(0, 100) } : member,
        ),
    ],
    ['a member leads out of it', 'unprocessable-bundle', async () => (members) => [{ name: '../x', content: 'x' }, ...members]],
    ['it holds no description', 'unprocessable-bundle', async () => (members) => members.slice(0, 2)],
  ])('is refused and leaves nothing when %s', async (_case, code, change) => {
    const serviceId = newName();
    const file = await putBundle(lab, serviceId, await change());
    const before = await lying();
    expect(await importFile(file)).toMatchObject({ state: 'failed', problem: { code } });
    expect(await lying()).toEqual(before);
    expect((await ask('GET', `/v1/services/${serviceId}`)).status).toBe(404);
  });

  /** A disk that is a difference to one of ours. */
  async function overlay(): Promise<Buffer> {
    const path = join(lab.paths.imports, 'overlay.qcow2');
    await runTool('qemu-img', ['create', '-q', '-u', '-f', 'qcow2', '-b', '/etc/passwd', '-F', 'raw', path, '1M']);
    return readFile(path);
  }

  it('is refused where the file is not there', async () => {
    expect(await importFile('missing.csvm')).toMatchObject({ state: 'failed', problem: { code: 'not-found' } });
  });
});

describe('an OVA', () => {
  const ports = [{ name: 'http', protocol: 'tcp', guestPort: 80 }];

  async function putOva(change: (members: TarMember[]) => TarMember[] = (members) => members): Promise<string> {
    const file = `${randomUUID()}.ova`;
    const members = await ovaMembers(lab.paths.imports);
    await writeFile(join(lab.paths.imports, file), tarArchive(change(members)));
    return file;
  }

  it('becomes a service with its first disk, memory and processors', async () => {
    const serviceId = newName();
    expect(await importFile(await putOva(), { serviceId, ports })).toMatchObject({ state: 'succeeded' });
    expect((await ask('GET', `/v1/services/${serviceId}`)).body).toMatchObject({
      vcpus: 2,
      memory: { idealMib: 768, minimumMib: 768 },
      ports,
      startable: true,
    });
  });

  it('has the name of its machine, unless somebody says another', async () => {
    expect(await importFile(await putOva(), { ports })).toMatchObject({ result: { serviceId: 'My-appliance' } });
  });

  it.each<[string, string, (members: TarMember[]) => TarMember[], object]>([
    ['nobody says its ports', 'invalid-input', (members) => members, {}],
    ['its disk is missing', 'unprocessable-bundle', (members) => members.slice(0, 2), { ports }],
    [
      'its disk lies elsewhere',
      'unprocessable-bundle',
      ([, ...members]) => [{ name: 'a.ovf', content: testOvf('../first.vmdk') }, ...members],
      { ports },
    ],
    ['its disk is another', 'checksum-mismatch', (members) => [...members.slice(0, 2), { name: 'first.vmdk', content: 'KDMV' }], { ports }],
    ['its disk is none', 'unsafe-image', ([first]) => [first!, { name: 'first.vmdk', content: 'x'.repeat(4096) }], { ports }],
    [
      'its OVF declares entities',
      'unprocessable-bundle',
      ([, ...members]) => [{ name: 'a.ovf', content: '<!DOCTYPE x [<!ENTITY a "b">]><Envelope/>' }, ...members],
      { ports },
    ],
    ['its OVF is no XML', 'unprocessable-bundle', ([, ...members]) => [{ name: 'a.ovf', content: '<Envelope>' }, ...members], { ports }],
  ])('is refused and leaves nothing when %s', async (_case, code, change, choices) => {
    const file = await putOva(change);
    const before = await lying();
    expect(await importFile(file, { serviceId: newName(), ...choices })).toMatchObject({ state: 'failed', problem: { code } });
    expect(await lying()).toEqual(before);
  });
});

describe('a service that is exported', () => {
  it.each(['none', 'gzip', 'zstd'])('can be downloaded and imported again (%s)', async (compression) => {
    const serviceId = await imported();
    const bundle = await exported(serviceId, compression);
    expect(bundle).toMatchObject({ serviceId, imageVersion: 1, compression, fileName: `${serviceId}-1.csvm` });
    const { rawPayload: bytes, headers, statusCode } = await download(bundle.id);
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({ etag: `"${bundle.sha256}"`, 'content-length': String(bundle.sizeBytes) });
    expect(sha256(bytes)).toBe(bundle.sha256);

    const before = await readdir(lab.paths.images);
    const copy = newName();
    const uploadId = await uploadFile(lab, bytes, { sha256: bundle.sha256 });
    expect(await done('/v1/bundles/imports', { source: { kind: 'upload', uploadId }, serviceId: copy })).toMatchObject({
      state: 'succeeded',
    });
    // The same disk is the same image.
    expect((await readdir(lab.paths.images)).toSorted()).toEqual(before.toSorted());
  });

  it('can be downloaded in ranges', async () => {
    const { id, sizeBytes } = await exported(await imported());
    const whole = (await download(id)).rawPayload;
    const part = await download(id, { range: 'bytes=1000-1999' });
    expect(part.statusCode).toBe(206);
    expect(part.headers['content-range']).toBe(`bytes 1000-1999/${sizeBytes}`);
    expect(part.rawPayload.equals(whole.subarray(1000, 2000))).toBe(true);
  });

  it('is listed, until it is removed', async () => {
    const { id } = await exported(await imported());
    const { bundles } = (await ask('GET', '/v1/bundles')).body as { bundles: BundleBody[] };
    expect(bundles.map((bundle) => bundle.id)).toContain(id);
    expect((await ask('DELETE', `/v1/bundles/${id}`)).status).toBe(204);
    expect((await ask('DELETE', `/v1/bundles/${id}`)).status).toBe(404);
    expect((await download(id)).statusCode).toBe(404);
    await expect(stat(join(lab.paths.exports, `${id}.csvm`))).rejects.toThrow('ENOENT');
  });

  it('goes when its time is over', async () => {
    const { id } = await exported(await imported());
    await lab.store.fork().execute('update bundles set expires_at_ms = 0 where id = ?', [id]);
    expect((await download(id)).statusCode).toBe(404);
    await reconcile(lab as never);
    expect(await readdir(lab.paths.exports)).not.toContain(`${id}.csvm`);
  });

  it('is refused where there is no such service', async () => {
    expect((await ask('POST', '/v1/bundles', { serviceId: 'nobody' })).status).toBe(404);
  });

  it('is none of a stranger’s business', async () => {
    const asked = [
      await lab.ask('POST', '/v1/bundles', { body: { serviceId: 'a' } }),
      await lab.ask('POST', '/v1/bundles/imports', { body: { source: { kind: 'file', file: 'a.csvm' } } }),
      await lab.ask('GET', '/v1/bundles'),
      await lab.ask('GET', '/v1/bundles/publisher'),
      await lab.ask('GET', `/v1/bundles/${randomUUID()}/file`),
    ];
    expect(asked.map(({ status }) => status)).toEqual(asked.map(() => 401));
  });
});
