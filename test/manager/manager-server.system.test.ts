import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currentBuild, freePort, startTestManager, type TestManager } from './support/test-manager.ts';

let manager: TestManager;

beforeAll(async () => {
  // Nothing listens there: these tests are about the manager alone.
  manager = await startTestManager(`http://127.0.0.1:${await freePort()}`);
});
afterAll(() => manager?.stop());

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Unlike `fetch` it sends whatever `Host` it is told. */
function send(
  path: string,
  { method = 'GET', headers = {} }: Sent = {},
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }> {
  return new Promise((resolve, reject) => {
    request(manager.url + path, { method, headers: { ...headers } }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    })
      .once('error', reject)
      .end();
  });
}

const someSession = () => ({ cookie: `cloudlet-manager-${manager.port}=cls_whatever` });

describe('the build', () => {
  it('is made once for one state of the sources', async () => {
    const startedAt = performance.now();
    const { built } = await currentBuild();
    expect(built).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});

describe('requests that no page of ours sent', () => {
  it.each(['evil.example', 'evil.example:80', 'localhost', '127.0.0.1'])('are refused under the name %s', async (host) => {
    const answer = await send('/', { headers: { host } });
    expect(answer.status).toBe(421);
    expect(answer.body).toContain(`http://127.0.0.1:${manager.port}`);
  });

  it.each(['http://evil.example', 'null', 'http://127.0.0.1:1'])('are refused when they come from %s', async (origin) => {
    const headers = { origin, 'next-action': '0'.repeat(42), ...someSession() };
    expect((await send('/service-vms', { method: 'POST', headers })).status).toBe(403);
    expect((await send('/sign-in?code=x', { method: 'POST', headers })).status).toBe(403);
  });

  it('are refused when they do not say where they come from', async () => {
    expect((await send('/services', { method: 'POST', headers: someSession() })).status).toBe(403);
  });
});

describe('somebody who is not signed in', () => {
  it.each([
    '/',
    '/services',
    '/service-vms',
    '/service-vms/x',
    '/operations',
    '/operations/x',
    '/plugins',
    '/nowhere',
    '/service-vms/x/log',
  ])('is sent from %s to the sign-in page', async (path) => {
    const answer = await send(path);
    expect([answer.status, answer.headers['location']]).toEqual([307, '/sign-in']);
  });

  it.each(['/live', '/operations/x/events'])('gets no events from %s', async (path) => {
    expect((await send(path)).status).toBe(401);
  });

  it('is told how to get a link', async () => {
    const { status, body } = await send('/sign-in');
    expect(status).toBe(200);
    expect(body).toContain('npx cloudlet sign-in');
  });
});

describe('every page', () => {
  it('may load our own files only, and be framed by nobody', async () => {
    const { headers, body } = await send('/sign-in');
    const policy = String(headers['content-security-policy']);
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1];
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/script-src[^;]*'unsafe-inline'/);
    expect(body).toContain(`nonce="${nonce}"`);
    expect(headers['x-content-type-options']).toBe('nosniff');
    const again = await send('/sign-in');
    expect(String(again.headers['content-security-policy'])).not.toContain(nonce);
  });

  it.each(['/', '/services', '/service-vms', '/operations', '/plugins'])('says at %s what to do when the API is down', async (path) => {
    const { status, body } = await send(path, { headers: someSession() });
    expect(status).toBe(200);
    expect(body).toContain('The cloudlet does not answer');
    expect(body).toContain('npm start');
  });
});

describe('the server', () => {
  it('tells its supervisor that it answers', async () => {
    expect((await send('/health')).body).toBe('ok\n');
  });

  it('listens on loopback alone', async () => {
    await expect(fetch(`http://127.0.0.2:${manager.port}/health`)).rejects.toThrow('fetch failed');
  });

  it('ends at once when it is asked to, although pages watch', async () => {
    const other = await startTestManager('http://127.0.0.1:1');
    const cookie = `cloudlet-manager-${other.port}=cls_whatever`;
    const stream = await fetch(`${other.url}/live`, { headers: { cookie } });
    expect(stream.headers.get('content-type')).toContain('text/event-stream');
    const startedAt = performance.now();
    await other.stop();
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    await stream.body?.cancel().catch(() => undefined);
  });
});
