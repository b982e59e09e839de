import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uploadPath } from '../../activities/images/host-paths.ts';
import { findUpload } from '../../activities/store/uploads.ts';
import { openApiLab, type Answer, type ApiLab } from '../../test/support/api-lab.ts';
import { uploadFile } from '../../test/support/api-upload.ts';
import { eventually } from '../../test/support/eventually.ts';
import { zipOf } from '../../test/support/zip-archive.ts';
import type { AppBody, AppChange } from '../../workflows/contract/app.ts';
import type { Problem } from '../../workflows/contract/errors.ts';
import type { OperationBody } from '../../workflows/contract/http.ts';

let lab: ApiLab;
let apk: Buffer;
beforeAll(async () => {
  lab = await openApiLab();
  const settings = dirname(createRequire(import.meta.url).resolve('io.appium.settings/package.json'));
  apk = await readFile(join(settings, 'apks', 'settings_apk-debug.apk'));
});
afterAll(() => lab?.close());

const asAdmin = (headers: Record<string, string> = {}) => ({ headers: { ...lab.asAdmin, ...headers } });
const code = ({ status, body }: Answer) => [status, (body as Problem).code];
const hex = (algorithm: string, bytes: Buffer) => createHash(algorithm).update(bytes).digest('hex');
/** A name that no other test has. */
const named = (metadata: AppChange = {}) => ({ name: `app ${randomUUID()}`, ...metadata });

async function settled(accepted: Answer): Promise<{ operation: OperationBody; appId: string }> {
  expect([accepted.status, accepted.text]).toEqual([202, expect.stringContaining('operationId')]);
  const { operationId, appId } = accepted.body as { operationId: string; appId: string };
  const operation = await eventually(async () => {
    const { body } = await lab.ask('GET', `/v1/operations/${operationId}`, asAdmin());
    expect((body as OperationBody).state).not.toBe('running');
    return body as OperationBody;
  }, 20_000);
  return { operation, appId };
}

async function add(bytes: Buffer, fileName: string, metadata: AppChange = {}) {
  const uploadId = await uploadFile(lab, bytes, { fileName, sha256: hex('sha256', bytes) });
  return { uploadId, ...(await settled(await lab.ask('POST', '/v1/apps', { body: { uploadId, ...metadata }, ...asAdmin() }))) };
}
const read = async (appId: string) => (await lab.ask('GET', `/v1/apps/${appId}`)).body as AppBody;
const remove = (appId: string) => lab.ask('DELETE', `/v1/apps/${appId}`, asAdmin());
const folders = (): Promise<string[]> => readdir(lab.paths.apps).catch(() => []);

describe('an APK', () => {
  it('becomes an app that says what the file says, and is downloaded by old phones and new', async () => {
    const serviceId = await lab.addService();
    const { uploadId, operation, appId } = await add(apk, 'settings.apk', { serviceId, tags: ['demo', 'x'], description: 'Settings' });
    expect(operation).toMatchObject({
      kind: 'app.install',
      state: 'succeeded',
      subject: appId,
      result: { appId, name: 'Appium Settings' },
    });
    const app = await read(appId);
    expect(app).toMatchObject({
      name: 'Appium Settings',
      description: 'Settings',
      serviceId,
      tags: ['demo', 'x'],
      packageName: 'io.appium.settings',
      appVersion: '8.0.10',
      versionCode: 192,
      minAndroidVersion: '8.0',
      contentType: 'application/vnd.android.package-archive',
      sizeBytes: apk.length,
      sha256: hex('sha256', apk),
      md5: hex('md5', apk),
      hasIcon: true,
    });
    expect(((await lab.ask('GET', `/v1/apps?tags=nope,x&serviceId=${serviceId}`)).body as { apps: AppBody[] }).apps).toEqual([app]);
    expect((await lab.ask('GET', '/v1/apps?tags=nope')).body).toEqual({ apps: [] });
    await eventually(async () => {
      expect([await findUpload(lab.store, uploadId), existsSync(uploadPath(lab.paths, uploadId))]).toEqual([null, false]);
    });

    const icon = await lab.app.inject(`/v1/apps/${appId}/icon`);
    expect([icon.statusCode, icon.headers['content-type'], icon.rawPayload.toString('latin1', 1, 4)]).toEqual([200, 'image/png', 'PNG']);
    const part = await lab.app.inject({
      url: `/v1/apps/${appId}/file`,
      headers: { range: 'bytes=1000000-', 'if-range': `"${app.sha256}"` },
    });
    expect([part.statusCode, part.headers['content-range']]).toEqual([206, `bytes 1000000-${apk.length - 1}/${apk.length}`]);
    expect(part.rawPayload.equals(apk.subarray(1_000_000))).toBe(true);
    const head = await lab.ask('HEAD', `/v1/apps/${appId}/file`);
    expect([head.status, head.headers['content-length'], head.headers['etag']]).toEqual([200, String(apk.length), `"${app.sha256}"`]);

    const objectId = appId.replaceAll('-', '').slice(0, 24);
    const pycloudApp = {
      _id: objectId,
      name: 'Appium Settings',
      service_id: serviceId,
      description: 'Settings',
      package_name: 'io.appium.settings',
      min_android_version: '8.0',
      md5sum: hex('md5', apk),
      app_version: '8.0.10',
      tags: ['demo', 'x'],
    };
    for (const [url, apps] of [
      ['/api/apps?osName=Android&osVersion=14&tags=x,y', [pycloudApp]],
      ['/api/app/getList?os_name=Android&os_version=14', [pycloudApp]],
      ['/api/apps?tags=X', []],
    ] as const) {
      const { headers, body } = await lab.app.inject(url);
      expect([headers['content-type'], JSON.parse(body)]).toEqual(['text/html; charset=utf-8', { apps }]);
    }
    expect(JSON.parse((await lab.app.inject('/api/system?apps=T')).body)).toMatchObject({ apps: [pycloudApp] });
    for (const url of [`/api/apps/get?appId=${objectId}`, `/api//app/getApp?app_id=${objectId}`]) {
      const { statusCode, headers, rawPayload } = await lab.app.inject({ url, headers: { 'x-device-id': 'phone' } });
      expect([statusCode, rawPayload.equals(apk)]).toEqual([200, true]);
      expect(headers).toMatchObject({
        'content-type': 'application/vnd.android.package-archive',
        'content-disposition': 'attachment; filename="settings.apk"',
        'content-length': String(apk.length),
      });
      expect([headers['transfer-encoding'], headers['content-encoding']]).toEqual([undefined, undefined]);
    }
    expect((await remove(appId)).status).toBe(204);
    expect((await lab.app.inject(`/api/apps/get?appId=${objectId}`)).statusCode).toBe(404);
  });

  it('may be called something else by who adds it', async () => {
    const metadata = named({ packageName: 'a.b', appVersion: null, minAndroidVersion: '9' });
    const { appId } = await add(apk, 'x.apk', metadata);
    expect(await read(appId)).toMatchObject(metadata);
    await remove(appId);
  });

  it('replaces the file of an app, and what was said of it stays', async () => {
    const { appId } = await add(apk, 'one.apk', named({ description: 'Mine' }));
    const before = await read(appId);
    const [folder] = await folders();
    const uploadId = await uploadFile(lab, apk, { fileName: 'two.apk' });
    await settled(await lab.ask('PUT', `/v1/apps/${appId}/file`, { body: { uploadId }, ...asAdmin() }));
    expect(await read(appId)).toEqual({ ...before, fileName: 'two.apk', updatedAt: expect.any(String) as string });
    await eventually(async () => {
      const left = await folders();
      expect([left.length, left.includes(folder!)]).toEqual([1, false]);
    });
    expect((await lab.app.inject(`/v1/apps/${appId}/file`)).rawPayload.equals(apk)).toBe(true);

    const other = await uploadFile(lab, Buffer.from('other'), { fileName: 'other.bin' });
    const key = asAdmin({ 'idempotency-key': randomUUID() });
    const answers = [await lab.ask('PUT', `/v1/apps/${appId}/file`, { body: { uploadId: other }, ...key })];
    answers.push(await lab.ask('PUT', `/v1/apps/${appId}/file`, { body: { uploadId: other }, ...key }));
    expect(answers[1]!.body).toEqual(answers[0]!.body);
    await settled(answers[0]!);
    expect(await read(appId)).toMatchObject({ contentType: 'application/octet-stream', hasIcon: false });
    expect(code(await lab.ask('GET', `/v1/apps/${appId}/icon`))).toEqual([404, 'not-found']);
    await remove(appId);
    await eventually(async () => expect(await folders()).toEqual([]));
  });
});

describe('any other file', () => {
  it('becomes an app by what is said of it, or by its name', async () => {
    const { appId } = await add(Buffer.from('client'), `${randomUUID()}.bin`);
    expect((await read(appId)).name).toMatch(/\.bin$/);
    expect((await lab.app.inject(`/v1/apps/${appId}/file`)).body).toBe('client');
    await remove(appId);
  });

  it('is changed by who has read it as it is', async () => {
    const { appId } = await add(Buffer.from('client'), 'client.bin', named());
    const { etag } = (await lab.ask('GET', `/v1/apps/${appId}`)).headers as { etag: string };
    const change = (body: AppChange, headers: Record<string, string> = {}) =>
      lab.ask('PATCH', `/v1/apps/${appId}`, { body, ...asAdmin(headers) });
    expect((await change({ tags: ['new'], serviceId: null }, { 'if-match': etag })).body).toMatchObject({ tags: ['new'] });
    expect(code(await change({ tags: [] }, { 'if-match': etag }))).toEqual([412, 'precondition-failed']);
    expect(code(await change({ serviceId: 'nobody' }))).toEqual([404, 'not-found']);
    expect(code(await change({ name: '\u0007' }))).toEqual([400, 'invalid-input']);
    await remove(appId);
    expect(code(await change({ tags: [] }))).toEqual([404, 'not-found']);
  });
});

describe('an install', () => {
  it.each([
    ['that is no APK', Buffer.from('#!/bin/sh'), /no ZIP archive/],
    ['that leads out of its folder', zipOf([{ name: '../../x', bytes: Buffer.from('x') }]), /invalid relative path/],
    ['that is a bomb', zipOf([{ name: 'x', bytes: Buffer.alloc(80 * 1024 * 1024) }]), /unpacks to more/],
  ])('of a file %s is refused with the reason and leaves nothing', async (_name, bytes, reason) => {
    const before = await folders();
    const { uploadId, operation, appId } = await add(bytes, 'hostile.apk');
    expect(operation).toMatchObject({ state: 'failed', problem: { code: 'unprocessable-app', detail: expect.stringMatching(reason) } });
    expect(code(await lab.ask('GET', `/v1/apps/${appId}`))).toEqual([404, 'not-found']);
    expect([await findUpload(lab.store, uploadId), existsSync(uploadPath(lab.paths, uploadId)), await folders()]).toEqual([
      null,
      false,
      before,
    ]);
  });

  it('whose name is taken leaves the upload for another try', async () => {
    const metadata = named();
    const { appId } = await add(Buffer.from('one'), 'one.bin', metadata);
    const uploadId = await uploadFile(lab, Buffer.from('two'));
    const post = (body: object) => lab.ask('POST', '/v1/apps', { body: { uploadId, ...body }, ...asAdmin() });
    expect(code(await post(metadata))).toEqual([409, 'name-taken']);
    expect(code(await post({ serviceId: 'nobody' }))).toEqual([404, 'not-found']);
    const { appId: second } = await settled(await post(named()));
    await eventually(async () => expect(code(await post(named()))).toEqual([404, 'not-found']));
    await remove(appId);
    await remove(second);
  });

  it('of another package does not replace an app', async () => {
    const { appId } = await add(apk, 'one.apk', named({ packageName: 'org.example.other' }));
    const uploadId = await uploadFile(lab, apk, { fileName: 'two.apk' });
    const { operation } = await settled(await lab.ask('PUT', `/v1/apps/${appId}/file`, { body: { uploadId }, ...asAdmin() }));
    expect(operation.problem).toMatchObject({ code: 'unprocessable-app', detail: expect.stringContaining('org.example.other') });
    expect((await lab.app.inject(`/v1/apps/${appId}/file`)).statusCode).toBe(200);
    await remove(appId);
  });

  it('is for admins, and of what is there', async () => {
    const uploadId = randomUUID();
    expect(code(await lab.ask('POST', '/v1/apps', { body: { uploadId } }))).toEqual([401, 'unauthenticated']);
    expect(code(await lab.ask('DELETE', `/v1/apps/${uploadId}`))).toEqual([401, 'unauthenticated']);
    expect(code(await lab.ask('POST', '/v1/apps', { body: { uploadId }, ...asAdmin() }))).toEqual([404, 'not-found']);
    const body = { uploadId: await uploadFile(lab, Buffer.from('x')) };
    expect(code(await lab.ask('PUT', `/v1/apps/${randomUUID()}/file`, { body, ...asAdmin() }))).toEqual([404, 'not-found']);
  });
});
