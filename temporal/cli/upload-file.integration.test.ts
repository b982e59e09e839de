import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findUpload } from '../../activities/store/uploads.ts';
import { openApiLab, type ApiLab } from '../../test/support/api-lab.ts';
import { beginUpload, sendBytes } from '../../test/support/api-upload.ts';
import { ApiClient } from './api-client.ts';
import { uploadFile } from './upload-file.ts';

let lab: ApiLab;
let folder: string;
let client: ApiClient;
beforeAll(async () => {
  lab = await openApiLab();
  folder = await mkdtemp(join(tmpdir(), 'cloudlet-upload-'));
  await writeFile(join(folder, 'admin.token'), lab.context.adminToken);
  client = new ApiClient({ apiHost: '127.0.0.1', apiPort: lab.port, dataDir: folder });
});
afterAll(async () => {
  await lab?.close();
  await rm(folder, { recursive: true });
});

const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function fileOf(name: string, bytes: Buffer): Promise<string> {
  await writeFile(join(folder, name), bytes);
  return join(folder, name);
}

it('sends a file in pieces, verified at its end', async () => {
  const bytes = randomBytes(20_000_000);
  const id = await uploadFile(client, await fileOf('a.bin', bytes), { json: true });
  expect(await findUpload(lab.store, id)).toMatchObject({ fileName: 'a.bin', sha256: sha256Of(bytes) });
});

it('goes on where an earlier command was ended', async () => {
  const bytes = randomBytes(3_000_000);
  const begun = await beginUpload(lab, bytes.length, { fileName: 'b.bin', sha256: sha256Of(bytes) });
  const url = String(begun.headers['location']);
  await sendBytes(lab, url, 0, bytes.subarray(0, 1_000_000));
  const id = await uploadFile(client, await fileOf('b.bin', bytes), { json: true });
  expect([id, (await findUpload(lab.store, id))?.sha256]).toEqual([url.split('/').at(-1), sha256Of(bytes)]);
  expect(await uploadFile(client, join(folder, 'b.bin'), { json: true })).toBe(id);
});

it('begins anew with a file that is another by now, and says what cannot be read', async () => {
  const id = await uploadFile(client, await fileOf('c.bin', Buffer.from('one')), { json: true });
  expect(await uploadFile(client, await fileOf('c.bin', Buffer.from('two')), { json: true })).not.toBe(id);
  await expect(uploadFile(client, join(folder, 'none'), { json: true })).rejects.toMatchObject({ code: 'not-found' });
});
