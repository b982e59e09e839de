import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApiLab, type ApiLab } from '../../test/support/api-lab.ts';
import { rawRequest, sendRaw, type RawAnswer } from '../../test/support/api-raw-http.ts';
import { eventually } from '../../test/support/eventually.ts';
import type { PhoneServiceVm } from '../../test/support/phone.ts';
import type { ServiceVmBody } from '../../workflows/contract/http.ts';
import { Service } from '../../activities/store/entities/service.ts';

let lab: ApiLab;
let serviceId: string;
beforeAll(async () => {
  lab = await openApiLab();
  serviceId = await lab.addService({ spec: { description: 'Grüße, 世界 😀', version: '1.0', tags: ['demo', 'x'] } });
});
afterAll(() => lab?.close());

/** Asks as a stock phone does, byte for byte: no Accept, an `X-Device-ID`. */
const ask = (target: string, headers: readonly string[] = ['X-Device-ID: dev1'], method = 'GET'): Promise<RawAnswer> =>
  sendRaw(lab.port, rawRequest(`${method} ${target}`, headers));
const start = async (query: string, device: string = randomUUID()): Promise<PhoneServiceVm> => {
  const { status, body } = await ask(`/api/servicevm/start?${query}`, [`X-Device-ID: ${device}`]);
  expect(`${status} ${status === 200 ? '' : body}`).toBe('200 ');
  return JSON.parse(body) as PhoneServiceVm;
};
const usersOf = async (id: string) => (await lab.ask('GET', `/v1/service-vms/${id}`, { headers: lab.asAdmin })).body as ServiceVmBody;

/** What holds of every answer of this dialect (WIRE.md §1.1). */
function expectWhole({ headers, body }: RawAnswer): void {
  expect(headers).not.toHaveProperty('transfer-encoding');
  expect(headers).not.toHaveProperty('content-encoding');
  expect(headers).toMatchObject({ 'cache-control': 'no-cache', pragma: 'no-cache', 'content-length': String(Buffer.byteLength(body)) });
}

describe('GET /api/services', () => {
  it('is answered byte for byte as pycloud lays it out', async () => {
    const answer = await ask('/api/services');
    expectWhole(answer);
    expect(answer.statusLine).toBe('HTTP/1.1 200 OK');
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(answer.body).toMatch(/^[\x20-\x7e]*$/);
    expect(answer.body).toMatch(/^\{"services": \[\{"_id": "[0-9a-f]{24}", "service_id": "/);
    expect(answer.body).toContain(
      '"description": "Gr\\u00fc\\u00dfe, \\u4e16\\u754c \\ud83d\\ude00", "version": "1.0", "tags": ["demo", "x"]}',
    );
  });

  it.each([
    ['doubled slashes', '/api//services'],
    ['slashes everywhere', '//api///services'],
    ['a slash at the end', '/api/services/'],
    ['the old spelling', '/api/servicevm/listServices'],
    ['a whole URL', 'http://cloudlet:9999/api/services'],
    ['parameters that nobody asked for', '/api/services?a=b&a=c'],
  ])('is the same with %s', async (_, target) => {
    expect((await ask(target)).body).toBe((await ask('/api/services')).body);
  });

  it.each([
    ['compression', ['Accept-Encoding: gzip, deflate, br, zstd']],
    ['trailers', ['TE: trailers, chunked', 'X-Device-ID: dev1']],
    ['nothing', []],
  ])('is never chunked or compressed, asked for with %s', async (_, headers) => {
    expectWhole(await ask('/api/services', headers));
  });

  it('is answered to HTTP/1.0', async () => {
    const answer = await sendRaw(lab.port, 'GET /api/services HTTP/1.0\r\n\r\n');
    expectWhole(answer);
    expect(answer.status).toBe(200);
  });

  it('leaves out what has no image yet', async () => {
    const unbuilt = await lab.addService();
    await lab.store.fork().nativeUpdate(Service, { serviceId: unbuilt }, { image: null });
    expect((await ask('/api/services')).body).not.toContain(unbuilt);
    expect((await ask(`/api/services/get?serviceId=${unbuilt}`)).status).toBe(404);
  });
});

describe('HEAD', () => {
  it.each(['/api/services', '/api/apps', '/api/services/get?serviceId=nope'])(
    'of %s has the headers of the GET and no body',
    async (target) => {
      const [head, get] = [await ask(target, [], 'HEAD'), await ask(target, [])];
      expect(head.body).toBe('');
      const { date: _, ...headers } = head.headers;
      expect(get.headers).toMatchObject(headers);
      expect(head.statusLine).toBe(get.statusLine);
      expect(Number(head.headers['content-length'])).toBe(Buffer.byteLength(get.body));
    },
  );
});

describe('a refusal', () => {
  it('is text to a stock client: the status, a sentence about it, and what happened', async () => {
    const answer = await ask('/api/services/get?serviceId=nope');
    expectWhole(answer);
    expect(answer.status).toBe(404);
    expect(answer.headers['content-type']).toBe('text/plain; charset=UTF-8');
    expect(answer.body).toBe('404 Not Found\n\nThe resource could not be found.\n\nThere is no service "nope" on this cloudlet.\n');
  });

  it.each(['*/*', 'text/html', 'text/html,application/xhtml+xml;q=0.9'])('is a page to a client that accepts %s', async (accept) => {
    const answer = await ask('/api/services/get?serviceId=%3Cscript%3E', [`Accept: ${accept}`]);
    expectWhole(answer);
    expect(answer.headers['content-type']).toBe('text/html; charset=UTF-8');
    expect(answer.body).toContain('<title>404 Not Found</title>');
    expect(answer.body).toContain('<h1>404 Not Found</h1>');
    expect(answer.body).toContain('&quot;&lt;script&gt;&quot;');
    expect(answer.body).not.toContain('<script>');
  });

  it.each([
    ['/api/services/get', 404],
    ['/api/servicevm/find', 404],
    ['/api/servicevm/start', 400],
    ['/api/servicevm/start?serviceId=', 400],
    ['/api/servicevm/start?serviceId=nope&join=true', 400],
    ['/api/servicevm/start?serviceId=..%2f..%2fetc', 400],
    ['/api/servicevm/stop', 400],
    ['/api/servicevm/stop?instanceId=', 400],
    ['/api/servicevm/stop?instanceId=nope', 404],
    ['/api/servicevm/stop?instanceId=00000000-0000-0000-0000-000000000000', 404],
    ['/api/servicevm/stop?instanceId=------------------------------------', 404],
    ['/api/apps/get', 400],
    ['/api/apps/get?appId=abc', 404],
    ['/api/app/getApp', 400],
    ['/api/app/getApp?app_id=abc', 404],
    ['/api/command', 404],
    ['/api', 404],
    ['/api/', 404],
    ['/api/nothing', 404],
    ['/api/servicevm/migration_svm_resume', 404],
    ['/api/%zz', 400],
    [`/api/services/get?serviceId=%00`, 400],
  ])('of %s is %i', async (target, status) => {
    const answer = await ask(target);
    expectWhole(answer);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('text/plain; charset=UTF-8');
    expect(answer.body).toMatch(new RegExp(`^${status} [A-Z][A-Za-z ]+\\n\\n.+\\n\\n.+\\n$`));
  });

  it('of a phone without a name that asks for messages is a 400, not pycloud’s 500', async () => {
    const answer = await ask('/api/system/get_messages?serviceId=x', []);
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('X-Device-ID');
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('of %s names the methods there are', async (method) => {
    const answer = await ask('/api/services', ['Content-Length: 0'], method);
    expectWhole(answer);
    expect(answer.status).toBe(405);
    expect(answer.headers['allow']).toBe('GET, HEAD');
  });

  it.each(['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/xml'])(
    'of a POST of %s is about the method, whatever the body is',
    async (type) => {
      const answer = await sendRaw(lab.port, rawRequest('POST /api/services', [`Content-Type: ${type}`, 'Content-Length: 3'], '{"a'));
      expect(answer.headers['content-type']).toBe('text/plain; charset=UTF-8');
      expect([400, 405]).toContain(answer.status);
    },
  );
});

describe('GET /api/services/get', () => {
  it.each(['/api/services/get', '/api/servicevm/find'])('and its old spelling %s answer with the service', async (path) => {
    const answer = await ask(`${path}?serviceId=${serviceId}`);
    expectWhole(answer);
    const { services } = JSON.parse((await ask('/api/services')).body) as { services: { service_id: string }[] };
    expect(JSON.parse(answer.body)).toEqual(services.find((service) => service.service_id === serviceId));
  });

  it('takes the first of a repeated parameter', async () => {
    expect((await ask(`/api/services/get?serviceId=${serviceId}&serviceId=nope`)).status).toBe(200);
  });
});

describe('GET /api/system', () => {
  it.each(['/api/system', '/api/cloudlet_info'])('and its old spelling %s have pycloud’s types', async (path) => {
    const answer = await ask(path);
    expectWhole(answer);
    expect(JSON.parse(answer.body)).toEqual({
      memory_info: { max_memory: expect.any(Number), free_memory: expect.any(Number) },
      cpu_info: { max_cores: expect.any(Number), usage: expect.any(Number), speed: expect.any(String), cache: expect.any(Number) },
    });
  });

  it.each([
    ['T', true],
    ['true', true],
    ['Y', true],
    ['yes', true],
    ['1', false],
    ['false', false],
    ['on', false],
    ['', false],
  ])('takes %j for %s', async (word, meant) => {
    const answer = JSON.parse((await ask(`/api/system?services=${word}&apps=${word}`)).body) as object;
    expect('services' in answer).toBe(meant);
    expect('apps' in answer).toBe(meant);
  });
});

describe('GET /api/apps', () => {
  it.each(['/api/apps', '/api/apps?osName=Android&osVersion=14&tags=demo,x', '/api/app/getList?os_name=a&os_version=b&tags=zzz'])(
    '%s is an empty list where there are none',
    async (target) => {
      const answer = await ask(target);
      expectWhole(answer);
      expect(answer.body).toBe('{"apps": []}');
    },
  );
});

describe('GET /api/servicevm/start', () => {
  it('answers when the guest does, with what a phone connects to', async () => {
    const answer = await ask(`/api/servicevm/start?serviceId=${serviceId}&join=true`);
    expectWhole(answer);
    const vm = JSON.parse(answer.body) as PhoneServiceVm;
    expect(vm).toEqual({
      _id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      service_id: serviceId,
      running: true,
      port: expect.any(Number),
      ip_address: '127.0.0.1',
      vnc_address: null,
      ssh_port: expect.any(Number),
      fqdn: null,
    });
  });

  it('joins what runs when asked to, in any of pycloud’s words, and not by default', async () => {
    const shared = await lab.addService();
    const first = await start(`serviceId=${shared}&join=true`);
    for (const word of ['true', 'TRUE', 'T', 'y', 'Yes']) {
      expect(await start(`serviceId=${shared}&join=${word}`)).toMatchObject({ _id: first._id, port: first.port });
    }
    for (const query of ['', '&join=false', '&join=1', '&join=']) {
      const own = await start(`serviceId=${shared}${query}`);
      expect(own._id).not.toBe(first._id);
      expect(own.port).not.toBe(first.port);
    }
    expect((await usersOf(first._id)).users).toBe(6);
  });

  it('answers two hundred phones that wait for one guest at once', async () => {
    const shared = await lab.addService();
    const letGo = lab.holdGuests();
    const phones = Array.from({ length: 200 }, () => start(`serviceId=${shared}&join=true`));
    await eventually(async () => {
      const { body } = await lab.ask('GET', `/v1/service-vms?serviceId=${shared}`, { headers: lab.asAdmin });
      const { serviceVms } = body as { serviceVms: ServiceVmBody[] };
      expect(serviceVms.map(({ users }) => users)).toEqual([200]);
    }, 30_000);
    letGo();
    expect(new Set((await Promise.all(phones)).map(({ _id }) => _id)).size).toBe(1);
  });

  it('says what is missing when there is no room, in words', async () => {
    const huge = await lab.addService({ spec: { memory: { minimumMib: 1024 * 1024, idealMib: 1024 * 1024 } } });
    const answer = await ask(`/api/servicevm/start?serviceId=${huge}`);
    expectWhole(answer);
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('30');
    expect(answer.body).toMatch(/needs 1048576 MiB of memory; \d+ MiB are free/);
  });

  it('joins another instance when the one it was to join ends at that moment', async () => {
    const shared = await lab.addService();
    const letGo = lab.holdGuests();
    const first = ask(`/api/servicevm/start?serviceId=${shared}&join=true`, ['X-Device-ID: first']);
    const id = await eventually(async () => {
      const [row] = await lab.store
        .fork()
        .execute<{ id: string }[]>(
          `select v.id from service_vms v join services s on s.id = v.service_id where s.service_id = ? and v.state = 'provisioning'`,
          [shared],
        );
      return row!.id;
    });
    const second = start(`serviceId=${shared}&join=true`);
    await eventually(async () => expect((await usersOf(id)).users).toBe(2));
    letGo();
    await lab.ask('POST', `/v1/service-vms/${id}/stop`, { headers: lab.asAdmin });
    const [other, told] = [await second, await first];
    // Whether the first was answered before the stop came is a matter of luck; either way the truth.
    expect([200, 409]).toContain(told.status);
    expect(other.service_id).toBe(shared);
  });
});

describe('GET /api/servicevm/stop', () => {
  it('ends the use of who asks, the instance with the last, and answers `{}` with its length', async () => {
    const shared = await lab.addService();
    const [{ _id }] = [await start(`serviceId=${shared}&join=true`, 'one'), await start(`serviceId=${shared}&join=true`, 'two')];
    const stop = (device: string) => ask(`/api/servicevm/stop?instanceId=${_id}`, [`X-Device-ID: ${device}`]);
    const answer = await stop('one');
    expectWhole(answer);
    expect([answer.status, answer.headers['content-length'], answer.body]).toEqual([200, '2', '{}']);
    expect(await usersOf(_id)).toMatchObject({ users: 1, state: 'ready' });
    expect((await stop('two')).status).toBe(200);
    await eventually(async () => expect((await usersOf(_id)).state).toBe('stopped'));
    expect((await stop('two')).status).toBe(404);
  });

  it('takes the id in capitals, as UUIDs may be written', async () => {
    const { _id } = await start(`serviceId=${serviceId}&join=false`, 'loud');
    expect((await ask(`/api/servicevm/stop?instanceId=${_id.toUpperCase()}`, ['X-Device-ID: loud'])).status).toBe(200);
  });

  it.each([
    ['another phone', ['X-Device-ID: stranger']],
    ['a phone without a name', []],
  ])('by %s is refused with a `#` before the words, and ends nothing', async (_, headers) => {
    const { _id } = await start(`serviceId=${serviceId}&join=false`, 'owner');
    const answer = await ask(`/api/servicevm/stop?instanceId=${_id}`, headers);
    expectWhole(answer);
    expect(answer.status).toBe(401);
    expect(answer.body.split('#')).toHaveLength(2);
    expect(answer.body.split('#')[1]).toMatch(/^Only the one who asked for this/);
    expect(await usersOf(_id)).toMatchObject({ users: 1, state: 'ready' });
  });
});

describe('GET /api/system/get_messages', () => {
  it('has none as yet, and renews what the phone holds', async () => {
    const shared = await lab.addService({ spec: { leaseSeconds: 60 } });
    const { _id } = await start(`serviceId=${shared}&join=true`, 'poller');
    const expiry = async () =>
      (await lab.store.fork().execute<{ at: string }[]>('select expires_at_ms as at from leases where service_vm_id = ?', [_id]))[0]!.at;
    const before = Number(await expiry());
    await lab.store.fork().execute('update leases set expires_at_ms = expires_at_ms - 50000 where service_vm_id = ?', [_id]);
    const answer = await ask(`/api/system/get_messages?serviceId=${shared}`, ['X-Device-ID: poller']);
    expectWhole(answer);
    expect(answer.body).toBe('{"messages": []}');
    expect(Number(await expiry())).toBeGreaterThanOrEqual(before);
  });
});

describe('an instance that is being started again', () => {
  it('is waited for by whoever joins it meanwhile', async () => {
    const shared = await lab.addService({ spec: { restartPolicy: 'always' } });
    const { _id } = await start(`serviceId=${shared}&join=true`);
    await lab.signals.guestStopped(_id, lab.host.loseGuest(_id));
    await eventually(async () => expect((await usersOf(_id)).state).toBe('provisioning'));
    expect(await start(`serviceId=${shared}&join=true`)).toMatchObject({ _id, running: true });
  });
});
