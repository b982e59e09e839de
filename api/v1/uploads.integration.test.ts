import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uploadPath } from '../../activities/images/host-paths.ts';
import { claimUpload, findUpload, releaseUploads } from '../../activities/store/uploads.ts';
import { sweepUploads } from '../../activities/uploads/sweep-uploads.ts';
import { UploadFiles, uploadExpiryMs } from '../../activities/uploads/upload-files.ts';
import { openApiLab, type Answer, type ApiLab } from '../../test/support/api-lab.ts';
import { askOffset, beginUpload, sendBytes, uploadFile } from '../../test/support/api-upload.ts';
import { withClock } from '../../test/support/api-store.ts';
import { eventually } from '../../test/support/eventually.ts';
import type { Problem } from '../../workflows/contract/errors.ts';
import type { UploadBody } from '../../workflows/contract/upload.ts';
import { bytesPerMib } from '../../workflows/contract/units.ts';

let lab: ApiLab;
beforeAll(async () => {
  lab = await openApiLab();
});
afterAll(() => lab?.close());

const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const code = ({ status, body }: Answer) => [status, (body as Problem).code];
const idOf = (url: string) => url.split('/').at(-1)!;
const begin = async (sizeBytes: number, options = {}) => String((await beginUpload(lab, sizeBytes, options)).headers['location']);
const read = async (url: string) => (await lab.ask('GET', url, { headers: lab.asAdmin })).body as UploadBody;
const fileOf = (url: string) => uploadPath(lab.paths, idOf(url));

describe('an upload', () => {
  it('arrives in pieces, and is verified at its end', async () => {
    const bytes = randomBytes(3 * bytesPerMib);
    const begun = await beginUpload(lab, bytes.length, { fileName: 'Döner.apk', sha256: sha256Of(bytes).toUpperCase() });
    const url = String(begun.headers['location']);
    expect([begun.status, begun.text, begun.headers['tus-resumable']]).toEqual([201, '', '1.0.0']);
    expect(url).toMatch(/^\/v1\/uploads\/[0-9a-f-]{36}$/);

    const first = await sendBytes(lab, url, 0, bytes.subarray(0, 1_000_001));
    expect([first.status, first.headers['upload-offset']]).toEqual([204, '1000001']);
    expect(await read(url)).toMatchObject({ fileName: 'Döner.apk', state: 'receiving', receivedBytes: 1_000_001, sha256: null });
    const asked = await askOffset(lab, url);
    expect([asked.status, asked.headers['upload-offset'], asked.headers['upload-length']]).toEqual([200, '1000001', String(bytes.length)]);
    expect(asked.headers['upload-metadata']).toContain(`filename ${Buffer.from('Döner.apk').toString('base64')}`);

    expect((await sendBytes(lab, url, 1_000_001, bytes.subarray(1_000_001))).headers['upload-offset']).toBe(String(bytes.length));
    const whole = await read(url);
    expect(whole).toMatchObject({ state: 'complete', receivedBytes: bytes.length, sha256: sha256Of(bytes), operationId: null });
    expect(await readFile(fileOf(url))).toEqual(bytes);
    const { uploads } = (await lab.ask('GET', '/v1/uploads', { headers: lab.asAdmin })).body as { uploads: UploadBody[] };
    expect(uploads).toContainEqual(whole);

    expect((await lab.ask('DELETE', url, { headers: lab.asAdmin })).status).toBe(204);
    expect(code(await lab.ask('GET', url, { headers: lab.asAdmin }))).toEqual([404, 'not-found']);
    expect(existsSync(fileOf(url))).toBe(false);
  });

  it('of other bytes than were declared is refused and leaves nothing', async () => {
    const bytes = randomBytes(1000);
    const url = await begin(bytes.length, { sha256: sha256Of(randomBytes(10)) });
    expect(code(await sendBytes(lab, url, 0, bytes))).toEqual([422, 'checksum-mismatch']);
    expect([existsSync(fileOf(url)), await findUpload(lab.store, idOf(url))]).toEqual([false, null]);
  });

  it('goes on where it was when its connection is lost, and when the API is another', async () => {
    const bytes = randomBytes(6 * bytesPerMib);
    const url = await begin(bytes.length, { sha256: sha256Of(bytes) });
    await sendHalf(url, bytes);
    const offset = await eventually(async () => {
      const { headers } = await askOffset(lab, url);
      expect(Number(headers['upload-offset'])).toBeGreaterThan(bytesPerMib);
      return Number(headers['upload-offset']);
    });
    // What a process that is killed knew is lost; its successor has the row and the file.
    const successor = new UploadFiles({ store: lab.store, paths: lab.paths, maximumBytes: 1e9 });
    expect((await successor.getUpload(idOf(url))).offset).toBe(offset);
    expect((await sendBytes(lab, url, offset, bytes.subarray(offset))).status).toBe(204);
    expect((await read(url)).sha256).toBe(sha256Of(bytes));
  });

  it('is verified later, when the server was killed just after its last byte', async () => {
    const bytes = randomBytes(5000);
    const [good, bad] = [await begin(bytes.length, { sha256: sha256Of(bytes) }), await begin(bytes.length, { sha256: '0'.repeat(64) })];
    for (const url of [good, bad]) await writeFile(fileOf(url), bytes);
    expect((await askOffset(lab, good)).headers['upload-offset']).toBe('5000');
    expect((await read(good)).state).toBe('complete');
    expect((await askOffset(lab, bad)).status).toBe(422);
    expect(existsSync(fileOf(bad))).toBe(false);
  });

  it('may be empty', async () => {
    const id = await uploadFile(lab, Buffer.alloc(0));
    expect((await read(`/v1/uploads/${id}`)).sha256).toBe(sha256Of(Buffer.alloc(0)));
  });
});

/** Sends the first half of the bytes as one request that was to hold all of them, and breaks the connection. */
async function sendHalf(url: string, bytes: Buffer): Promise<void> {
  const client = request({
    port: lab.port,
    method: 'PATCH',
    path: url,
    headers: {
      ...lab.asAdmin,
      'tus-resumable': '1.0.0',
      'upload-offset': '0',
      'content-type': 'application/offset+octet-stream',
      'content-length': bytes.length,
    },
  });
  client.on('error', () => undefined);
  client.write(bytes.subarray(0, bytes.length / 2));
  await eventually(async () => {
    expect((await stat(fileOf(url))).size).toBeGreaterThan(2 * bytesPerMib);
  });
  client.destroy();
}

describe('the server', () => {
  it('takes uploads from admins alone', async () => {
    const headers = { 'tus-resumable': '1.0.0', 'upload-length': '5' };
    expect(code(await lab.ask('POST', '/v1/uploads', { headers }))).toEqual([401, 'unauthenticated']);
    expect(code(await lab.ask('GET', '/v1/uploads'))).toEqual([401, 'unauthenticated']);
    expect(code(await lab.ask('DELETE', `/v1/uploads/${randomUUID()}`))).toEqual([401, 'unauthenticated']);
  });

  it('says what it knows of tus', async () => {
    const { status, headers } = await lab.ask('OPTIONS', '/v1/uploads', { headers: lab.asAdmin });
    expect([status, headers['tus-version'], headers['tus-max-size']]).toEqual([204, '1.0.0', String(1024 ** 3)]);
    expect(headers['tus-extension']).toBe('creation,creation-with-upload,termination,expiration');
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  it.each([
    ['without a length', {}, [400, 'invalid-input']],
    ['larger than the limit', { 'upload-length': String(2 * 1024 ** 3) }, [413, 'payload-too-large']],
    ['of a later protocol', { 'upload-length': '5', 'tus-resumable': '2.0.0' }, [400, 'invalid-input']],
    ['with metadata that is not base64', { 'upload-length': '5', 'upload-metadata': 'filename ä' }, [400, 'invalid-input']],
    ['with a path for a name', { 'upload-length': '5', 'upload-metadata': `filename ${btoa('../../etc/passwd')}` }, [400, 'invalid-input']],
    [
      'with a terminal escape for a name',
      { 'upload-length': '5', 'upload-metadata': `filename ${btoa('\x1b[2J')}` },
      [400, 'invalid-input'],
    ],
    ['with half a hash', { 'upload-length': '5', 'upload-metadata': `sha256 ${btoa('abcdef')}` }, [400, 'invalid-input']],
  ])('refuses one %s', async (_name, headers, told) => {
    const files = await readdir(lab.paths.uploads);
    expect(code(await lab.ask('POST', '/v1/uploads', { headers: { ...lab.asAdmin, 'tus-resumable': '1.0.0', ...headers } }))).toEqual(told);
    expect(await readdir(lab.paths.uploads)).toEqual(files);
  });

  it('refuses bytes at another place, and more than were announced', async () => {
    const url = await begin(10);
    expect(code(await sendBytes(lab, url, 5, Buffer.alloc(5)))).toEqual([409, 'state-conflict']);
    expect(code(await sendBytes(lab, url, 0, Buffer.alloc(11)))).toEqual([413, 'payload-too-large']);
    expect(code(await sendBytes(lab, `/v1/uploads/${randomUUID()}`, 0, Buffer.alloc(1)))).toEqual([404, 'not-found']);
  });

  it('looks for room before and while bytes come', async () => {
    let freeBytes = 100 * bytesPerMib;
    const files = new UploadFiles({ store: lab.store, paths: lab.paths, maximumBytes: 1e12, freeBytes: async () => freeBytes });
    const upload = { id: randomUUID(), size: 300 * bytesPerMib, offset: 0, metadata: {}, creation_date: undefined, storage: undefined };
    const create = () => files.create({ ...upload, sizeIsDeferred: false });
    await expect(create()).rejects.toMatchObject({ code: 'capacity-exhausted', facts: { resource: 'disk' } });
    freeBytes = 4096 * bytesPerMib;
    await create();
    const fills = async function* () {
      for (let sent = 0; sent < 300; sent += 1) {
        if (sent === 100) freeBytes = 500 * bytesPerMib;
        yield Buffer.alloc(bytesPerMib);
      }
    };
    await expect(files.write(Readable.from(fills()), upload.id, 0)).rejects.toMatchObject({ code: 'capacity-exhausted' });
    expect(await files.receivedBytes(upload.id)).toBeLessThan(150 * bytesPerMib);
    await files.remove(upload.id);
  });
});

describe('an operation', () => {
  const claim = (id: string, operationId: string) => lab.store.transaction((em) => claimUpload(em, id, operationId));

  it('has an upload to itself until it releases it', async () => {
    const id = await uploadFile(lab, Buffer.from('mine'));
    const [mine, another] = [randomUUID(), randomUUID()];
    const told = await Promise.allSettled([claim(id, mine), claim(id, another)]);
    expect(told.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const owner = (await findUpload(lab.store, id))!.operationId!;
    const loser = owner === mine ? another : mine;
    await expect(claim(id, loser)).rejects.toMatchObject({ code: 'operation-in-progress', facts: { operationId: owner } });
    expect(await claim(id, owner)).toMatchObject({ sizeBytes: 4, sha256: sha256Of(Buffer.from('mine')) });
    expect((await read(`/v1/uploads/${id}`)).state).toBe('claimed');
    expect(code(await lab.ask('DELETE', `/v1/uploads/${id}`, { headers: lab.asAdmin }))).toEqual([409, 'operation-in-progress']);
    await releaseUploads(lab.store, owner);
    expect(await claim(id, loser)).toMatchObject({ id });
    // Nobody runs it: an operation that is not there any more holds nothing.
    await sweepUploads({ store: lab.store, paths: lab.paths, files: lab.context.uploads });
    expect((await read(`/v1/uploads/${id}`)).state).toBe('complete');
  });

  it('does not get one that is not complete', async () => {
    const id = idOf(await begin(10));
    await expect(claim(id, randomUUID())).rejects.toMatchObject({ code: 'state-conflict' });
    await expect(claim(randomUUID(), randomUUID())).rejects.toMatchObject({ code: 'not-found' });
  });
});

it('forgets what nobody goes on with, and what belongs to nobody', async () => {
  const url = await begin(10);
  await sendBytes(lab, url, 0, Buffer.alloc(5));
  await writeFile(uploadPath(lab.paths, 'stray'), 'x');
  const { store, advance } = withClock(lab.store);
  const files = new UploadFiles({ store, paths: lab.paths, maximumBytes: 1e9 });
  const sweep = () => sweepUploads({ store, paths: lab.paths, files });
  await sweep();
  expect([existsSync(fileOf(url)), existsSync(uploadPath(lab.paths, 'stray'))]).toEqual([true, false]);
  advance(uploadExpiryMs + 1000);
  expect(await sweep()).toBeGreaterThan(0);
  expect(await readdir(lab.paths.uploads)).toEqual([]);
  expect((await askOffset(lab, url)).status).toBe(404);
});
