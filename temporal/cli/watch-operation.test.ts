import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CloudletError, toProblem } from '../../workflows/contract/errors.ts';
import { ApiClient } from './api-client.ts';
import { runOperation } from './run-operation.ts';
import { watchOperation } from './watch-operation.ts';

type Step = (response: ServerResponse, request: IncomingMessage) => void;

const problem = toProblem(new CloudletError('cancelled', 'The build was cancelled.'));
const path = '/v1/operations/1';
const patience = { tries: 3, pauseMs: 1 };
const quiet = { json: false, quiet: true, patience };

const event = (id: number, type: string, data: object = {}) => `id: ${id}\nevent: operation.${type}\ndata: ${JSON.stringify(data)}\n\n`;
/** Sends events; `cut` breaks the connection behind them. */
const events =
  (text: string, cut = false): Step =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (cut) response.write(text, () => setTimeout(() => response.destroy(), 5));
    else response.end(text);
  };
const json =
  (body: object, status = 200): Step =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const away = json(toProblem(new CloudletError('shutting-down', 'The cloudlet is stopping.')), 503);

/** What is answered to each path, in turn; the last one from then on. */
let script: Record<string, Step[]>;
let asked: { line: string; after: string | undefined }[];
const folder = mkdtempSync(join(tmpdir(), 'cloudlet-cli-'));
const server = createServer((request, response) => {
  const line = `${request.method} ${request.url}`;
  asked.push({ line, after: request.headers['last-event-id'] as string | undefined });
  const steps = script[line]!;
  (steps.length > 1 ? steps.shift()! : steps[0]!)(response, request);
});
let api: ApiClient;

beforeAll(async () => {
  writeFileSync(join(folder, 'admin.token'), 'x');
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  api = new ApiClient({ apiHost: '127.0.0.1', apiPort: (server.address() as AddressInfo).port, dataDir: folder });
});
beforeEach(() => {
  asked = [];
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

describe('whoever watches an operation', () => {
  it('goes on where the connection broke, and waits for a cloudlet that is started again', async () => {
    script = {
      [`GET ${path}/events`]: [events(event(4, 'progress', { step: 1 }), true), away, events(event(9, 'succeeded'))],
      [`GET ${path}`]: [json({ state: 'succeeded', problem: null, result: { version: 2 } })],
    };
    expect(await watchOperation(api, '1', quiet)).toMatchObject({ result: { version: 2 } });
    expect(asked.filter(({ line }) => line.endsWith('/events')).map(({ after }) => after)).toEqual([undefined, '4', '4']);
  });

  it('goes on where events end before the operation does', async () => {
    script = {
      [`GET ${path}/events`]: [events(''), events(event(9, 'succeeded'))],
      [`GET ${path}`]: [json({ state: 'running', problem: null }), json({ state: 'succeeded', problem: null })],
    };
    expect(await watchOperation(api, '1', quiet)).toMatchObject({ state: 'succeeded' });
  });

  it('is told of what it failed', async () => {
    script = { [`GET ${path}/events`]: [events(event(9, 'cancelled'))], [`GET ${path}`]: [json({ state: 'cancelled', problem })] };
    await expect(watchOperation(api, '1', quiet)).rejects.toMatchObject({ code: 'cancelled', message: 'The build was cancelled.' });
  });

  it('gives up a cloudlet that does not come back, and says how to go on', async () => {
    script = { [`GET ${path}/events`]: [away] };
    await expect(watchOperation(api, '1', quiet)).rejects.toThrow('cloudlet operation watch 1');
    expect(asked).toHaveLength(patience.tries);
  });
});

it('asks an operation to end at a Ctrl-C, and waits until it has', async () => {
  let stream: ServerResponse | undefined;
  script = {
    'POST /v1/things': [json({ operationId: '1' }, 202)],
    [`GET ${path}/events`]: [
      (response) => {
        stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
        stream.write(event(1, 'progress', { step: 1 }));
        process.emit('SIGINT');
      },
    ],
    [`POST ${path}/cancel`]: [
      (response) => {
        json({}, 202)(response, response.req);
        stream!.end(event(2, 'cancelled'));
      },
    ],
    [`GET ${path}`]: [json({ state: 'cancelled', problem })],
  };
  await expect(runOperation(api, { method: 'POST', path: '/v1/things' }, quiet)).rejects.toMatchObject({ code: 'cancelled' });
  expect(process.listenerCount('SIGINT')).toBe(0);
});
