import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../test/support/eventually.ts';
import { byteRange } from './byte-range.ts';
import { sendFile } from './send-file.ts';
import { sendProblem } from './send-problem.ts';

const bytes = Buffer.from('0123456789');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const etag = `"${sha256}"`;
let folder: string;
let app: FastifyInstance;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cloudlet-send-file-'));
  await writeFile(join(folder, 'file'), bytes);
  await writeFile(join(folder, 'empty'), '');
  app = fastify();
  app.setErrorHandler(sendProblem);
  app.get<{ Params: { name: string } }>('/:name', (request, reply) =>
    sendFile(request, reply, { path: join(folder, request.params.name), sha256, contentType: 'text/x-test', fileName: 'Döner "1".apk' }),
  );
  await app.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(async () => {
  await app?.close();
  await rm(folder, { recursive: true });
});

const ask = (headers: Record<string, string> = {}, { name = 'file', method = 'GET' }: { name?: string; method?: 'GET' | 'HEAD' } = {}) =>
  app.inject({ method, url: `/${name}`, headers });

describe('a file', () => {
  it('is sent whole, with its length, its hash and its name', async () => {
    const { statusCode, headers, body } = await ask();
    expect([statusCode, body]).toEqual([200, '0123456789']);
    expect(headers).toMatchObject({ etag, 'content-length': '10', 'content-type': 'text/x-test', 'accept-ranges': 'bytes' });
    expect(headers['content-disposition']).toBe(`attachment; filename="D_ner _1_.apk"; filename*=UTF-8''D%C3%B6ner%20%221%22.apk`);
    expect(headers['transfer-encoding']).toBeUndefined();
  });

  it('is described to HEAD, not sent', async () => {
    const { statusCode, headers, body } = await ask({ range: 'bytes=2-4' }, { method: 'HEAD' });
    expect([statusCode, body, headers['content-length'], headers['content-range']]).toEqual([206, '', '3', 'bytes 2-4/10']);
  });

  it('may be empty', async () => {
    const { statusCode, headers, body } = await ask({}, { name: 'empty' });
    expect([statusCode, body, headers['content-length']]).toEqual([200, '', '0']);
  });

  it('that is gone is not found', async () => {
    expect((await ask({}, { name: 'gone' })).statusCode).toBe(404);
  });
});

it.each([
  ['bytes=0-0', '0'],
  ['bytes=3-', '3456789'],
  ['bytes=3-99', '3456789'],
  ['bytes=-3', '789'],
  ['bytes=-99', '0123456789'],
])('sends the part %s', async (range, part) => {
  const { statusCode, headers, body } = await ask({ range });
  expect([statusCode, body, headers['content-length']]).toEqual([206, part, String(part.length)]);
  expect(headers['content-range']).toBe(`bytes ${bytes.indexOf(part)}-${bytes.indexOf(part) + part.length - 1}/10`);
});

it.each(['bytes=10-', 'bytes=-0', 'bytes=99-100'])('has nothing of %s', async (range) => {
  const { statusCode, headers } = await ask({ range });
  expect([statusCode, headers['content-range']]).toEqual([416, 'bytes */10']);
});

it.each(['bytes=4-2', 'bytes=0-1,4-5', 'pages=1-2', 'bytes=x', 'bytes=-', ''])('sends the whole for %j', async (range) => {
  expect((await ask({ range })).statusCode).toBe(200);
});

it.each([
  ['another version is there than the client has a part of', { range: 'bytes=3-', 'if-range': '"other"' }, 200],
  ['the client has a part of this version', { range: 'bytes=3-', 'if-range': etag }, 206],
  ['the client has a part of some day', { range: 'bytes=3-', 'if-range': 'Sun, 22 Nov 2026 20:00:00 GMT' }, 200],
  ['the client has it', { 'if-none-match': `"x", W/${etag}` }, 304],
  ['the client has another', { 'if-none-match': '"other"' }, 200],
  ['the client insists on another', { 'if-match': '"other"' }, 412],
  ['the client insists on this one', { 'if-match': etag }, 200],
])('heeds conditions: %s', async (_name, headers, status) => {
  expect((await ask(headers)).statusCode).toBe(status);
});

it('lets who downloads it have all of it though it is replaced meanwhile, and keeps no file open', async () => {
  const large = Buffer.alloc(32 * 1024 * 1024, 7);
  await writeFile(join(folder, 'large'), large);
  const received = await new Promise<Buffer>((resolve, reject) => {
    get({ port: (app.server.address() as AddressInfo).port, path: '/large' }, (response) => {
      const chunks: Buffer[] = [];
      response.once('readable', () => {
        // What is on the way fits into no socket's buffer, so the rest is read after this.
        void writeFile(join(folder, 'new'), 'new')
          .then(() => rename(join(folder, 'new'), join(folder, 'large')))
          .then(() => response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks))));
      });
    }).on('error', reject);
  });
  expect(received.equals(large)).toBe(true);
  await ask({ range: 'bytes=99999999-' });
  await eventually(async () => {
    const open = await Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
    expect(open.filter((path) => path.startsWith(folder))).toEqual([]);
  });
});

it('never makes a range that a file does not have', () => {
  for (let size = 0; size < 4; size += 1) {
    for (const header of ['bytes=0-', 'bytes=1-2', 'bytes=-1', 'bytes=-5', 'bytes=3-3']) {
      const range = byteRange(header, size);
      if (typeof range === 'string') continue;
      expect(range.first).toBeGreaterThanOrEqual(0);
      expect(range.last).toBeLessThan(size);
      expect(range.first).toBeLessThanOrEqual(range.last);
    }
  }
});
