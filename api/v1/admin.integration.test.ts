import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApiLab, type Answer, type ApiLab } from '../../test/support/api-lab.ts';
import { eventually } from '../../test/support/eventually.ts';
import { scriptedMachine, scriptedNote } from '../../test/support/workflow-host.ts';
import type { Problem } from '../../workflows/contract/errors.ts';
import type { NewService, OperationBody, ServiceVmBody, ServiceView, StartAnswer } from '../../workflows/contract/http.ts';

let lab: ApiLab;
beforeAll(async () => {
  lab = await openApiLab();
});
afterAll(() => lab?.close());

const nobody: Record<string, string> = {};
const problem = ({ body }: Answer) => body as Problem;
const asAdmin = (headers: Record<string, string> = {}) => ({ headers: { ...lab.asAdmin, ...headers } });
const newService = (more: Partial<NewService> = {}): NewService => ({
  serviceId: `test.${randomUUID()}`,
  ports: [{ name: 'http', protocol: 'tcp', guestPort: 8080 }],
  memory: { minimumMib: 64, idealMib: 64 },
  source: { kind: 'disk', file: 'disk.qcow2', format: 'qcow2' },
  save: true,
  ...more,
});
const add = (body: unknown, headers: Record<string, string> = {}) => lab.ask('POST', '/v1/services', { body, ...asAdmin(headers) });
const operation = async (id: string) => (await lab.ask('GET', `/v1/operations/${id}`, asAdmin())).body as OperationBody;
const settled = (id: string) =>
  eventually(async () => {
    const found = await operation(id);
    expect(found.state).not.toBe('running');
    return found;
  }, 20_000);

describe('services', () => {
  it('are built, listed, started and removed', async () => {
    const body = newService({ description: 'Mine' });
    const accepted = await add(body);
    const { operationId } = accepted.body as { operationId: string };
    expect([accepted.status, accepted.headers['location']]).toEqual([202, `/v1/operations/${operationId}`]);
    expect(await settled(operationId)).toMatchObject({
      kind: 'service.build',
      state: 'succeeded',
      subject: body.serviceId,
      principal: 'admin:admin.token',
      result: { serviceId: body.serviceId, version: 1 },
      temporalUrl: expect.stringContaining(encodeURIComponent(`build-service-image/${body.serviceId}`)),
    });
    const one = await lab.ask('GET', `/v1/services/${body.serviceId}`);
    expect(one.body).toMatchObject({
      serviceId: body.serviceId,
      description: 'Mine',
      imageVersion: 1,
      startsBy: ['join', 'restore', 'cold-boot'],
    });
    const { services } = (await lab.ask('GET', '/v1/services')).body as { services: ServiceView[] };
    expect(services).toContainEqual(one.body);

    const started = await lab.ask('POST', '/v1/service-vms', { body: { serviceId: body.serviceId }, headers: { prefer: 'wait=20' } });
    const { serviceVm } = started.body as { serviceVm: ServiceVmBody };
    expect(serviceVm).toMatchObject({ state: 'ready', rung: 'restore' });
    const busy = await lab.ask('DELETE', `/v1/services/${body.serviceId}`, asAdmin());
    expect([busy.status, problem(busy).state]).toEqual([409, 'running']);
    await lab.ask('POST', `/v1/service-vms/${serviceVm.id}/stop`, asAdmin({ prefer: 'wait=20' }));
    const removed = await lab.ask('DELETE', `/v1/services/${body.serviceId}`, asAdmin());
    expect([removed.status, removed.text]).toEqual([204, '']);
    expect((await lab.ask('GET', `/v1/services/${body.serviceId}`)).status).toBe(404);
    expect((await lab.ask('DELETE', `/v1/services/${body.serviceId}`, asAdmin())).status).toBe(404);
  });

  it('are built of an OVA, or of a folder of pycloud, as the machine in it says where nothing else is said', async () => {
    const { memory: _memory, save: _save, ...body } = newService();
    for (const source of [
      { kind: 'disk', file: 'my.ova', format: 'ova' },
      { kind: 'pair', folder: 'svmcache' },
    ] as const) {
      const { operationId } = (await add({ ...body, vcpus: 1, source })).body as { operationId: string };
      const notes = source.kind === 'pair' ? { notes: [scriptedNote] } : {};
      expect((await settled(operationId)).result).toEqual({ serviceId: body.serviceId, version: expect.any(Number) as number, ...notes });
      expect((await lab.ask('GET', `/v1/services/${body.serviceId}`)).body).toMatchObject({
        memory: scriptedMachine.memory,
        vcpus: 1,
        startsBy: source.kind === 'pair' ? ['join', 'restore', 'cold-boot'] : ['join', 'cold-boot'],
      });
    }
  });

  it('are built once at a time; the refusal names the build that runs, and a repeat with the same key finds it', async () => {
    const letGo = lab.holdGuests();
    const body = newService();
    const key = { 'idempotency-key': randomUUID() };
    const first = await add(body, key);
    const { operationId } = first.body as { operationId: string };
    expect((await add(body, key)).body).toEqual({ operationId });
    const refused = await add(body);
    expect([refused.status, problem(refused)]).toMatchObject([409, { code: 'operation-in-progress', operationId }]);
    letGo();
    expect((await settled(operationId)).state).toBe('succeeded');
    const again = await add(body);
    expect((await settled((again.body as { operationId: string }).operationId)).result).toMatchObject({ version: 2 });
  });

  it.each([
    [{ serviceId: undefined }, '/body'],
    [{ serviceId: 'a b' }, '/body/serviceId'],
    [{ serviceId: 'a'.repeat(129) }, '/body/serviceId'],
    [{ ports: [] }, '/body/ports'],
    [{ ports: [{ name: 'HTTP', protocol: 'tcp', guestPort: 80 }] }, '/body/ports/0/name'],
    [{ ports: [{ name: 'http', protocol: 'tcp', guestPort: 65_536 }] }, '/body/ports/0/guestPort'],
    [{ ports: [{ name: 'http', protocol: 'tcp', guestPort: -1 }] }, '/body/ports/0/guestPort'],
    [{ ports: [{ name: 'http', protocol: 'tcp', guestPort: 80.5 }] }, '/body/ports/0/guestPort'],
    [{ ports: [{ name: 'http', protocol: 'tcp', guestPort: '80' }] }, '/body/ports/0/guestPort'],
    [{ memory: { minimumMib: 1e308, idealMib: 1e308 } }, '/body/memory/minimumMib'],
    [{ memory: { minimumMib: 512, idealMib: 256 } }, '/body/memory/minimumMib'],
    [{ vcpus: 0 }, '/body/vcpus'],
    [{ vcpus: Number.MAX_SAFE_INTEGER }, '/body/vcpus'],
    [{ description: 'a\0b' }, '/body/description'],
    [{ description: 'x'.repeat(1001) }, '/body/description'],
    [{ tags: ['fine', '\uD800'] }, '/body/tags/1'],
    [{ source: { kind: 'disk', file: '../../etc/shadow', format: 'raw' } }, '/body/source'],
    [{ source: { kind: 'disk', file: '/etc/shadow', format: 'raw' } }, '/body/source'],
    [{ source: { kind: 'pair', folder: '..' } }, '/body/source'],
    [{ source: { kind: 'url', url: 'http://x' } }, '/body/source'],
    [{ egress: { mode: 'filtered', internet: true, allow: ['999.1.1.1'] } }, '/body/egress/allow/0'],
    [{ egress: { mode: 'filtered', internet: true, allow: ['10.0.0.0/33'] } }, '/body/egress'],
    [{ readiness: { kind: 'http', guestPort: 8080, path: '/a b', timeoutSeconds: 5 } }, '/body/readiness'],
    [{ unknown: 1 }, '/body'],
    [{ maximumUsers: 0 }, '/body/maximumUsers'],
    [{ leaseSeconds: 9 }, '/body/leaseSeconds'],
    [{ save: 'yes' }, '/body/save'],
  ])('with %j are refused, naming %s', async (wrong, pointer) => {
    const answer = await add({ ...newService(), ...wrong });
    expect(answer.status).toBe(400);
    expect(problem(answer).errors!.map((error) => error.pointer)).toContainEqual(expect.stringMatching(new RegExp(`^${pointer}`)));
  });

  it('are not for strangers to change', async () => {
    for (const headers of [nobody, { 'x-device-id': 'phone' }]) {
      expect((await lab.ask('POST', '/v1/services', { body: newService(), headers })).status).toBe(401);
      expect((await lab.ask('DELETE', '/v1/services/x', { headers })).status).toBe(401);
    }
  });

  it('whose build is cancelled are not built, and that is said', async () => {
    const letGo = lab.holdGuests();
    const { operationId } = (await add(newService())).body as { operationId: string };
    const cancelled = await lab.ask('POST', `/v1/operations/${operationId}/cancel`, asAdmin());
    expect(cancelled.status).toBe(202);
    letGo();
    expect((await settled(operationId)).state).toBe('cancelled');
    const again = await lab.ask('POST', `/v1/operations/${operationId}/cancel`, asAdmin());
    expect([again.status, problem(again).state]).toEqual([409, 'cancelled']);
  });
});

describe('operations', () => {
  it('are listed for admins, by kind and state', async () => {
    const { operationId } = (await add(newService())).body as { operationId: string };
    await settled(operationId);
    const list = async (query: string) =>
      (await lab.ask('GET', `/v1/operations?${query}`, asAdmin())).body as { operations: OperationBody[]; next: string | null };
    const builds = await list('kind=service.build&limit=999');
    expect(builds.operations.map(({ id }) => id)).toContain(operationId);
    expect(builds.operations.every(({ kind }) => kind === 'service.build')).toBe(true);
    expect((await list('state=running')).operations).toEqual([]);
    const [page, all] = [await list('limit=1'), await list('limit=999')];
    expect(page.next).not.toBeNull();
    expect((await list(`limit=1&cursor=${page.next}`)).operations[0]).toEqual(all.operations[1]);
  });

  it('are listed for what they are about: an instance, or a service with all of its instances', async () => {
    const [serviceId, other] = [await lab.addService(), await lab.addService()];
    const start = async (service: string) =>
      (await lab.ask('POST', '/v1/service-vms', { body: { serviceId: service, join: false } })).body as StartAnswer;
    const [first, second, third] = [await start(serviceId), await start(serviceId), await start(other)];
    const listed = async (query: string) =>
      ((await lab.ask('GET', `/v1/operations?${query}`, asAdmin())).body as { operations: OperationBody[] }).operations.map(({ id }) => id);
    expect(await listed(`subject=${first.serviceVm.id}`)).toEqual([first.operationId]);
    expect(await listed(`serviceId=${serviceId}`)).toEqual([second.operationId, first.operationId]);
    const { operationId } = (await lab.ask('DELETE', `/v1/services/${other}?stop=true`, asAdmin())).body as { operationId: string };
    expect(await listed(`serviceId=${other}`)).toEqual([operationId, third.operationId]);
    expect(await listed(`serviceId=${other}&kind=service.remove`)).toEqual([operationId]);
    expect(await listed('serviceId=test.nothing')).toEqual([]);
  });

  it('answer once they have ended to whoever would like to wait, and at once where they have', async () => {
    const letGo = lab.holdGuests();
    const { operationId } = (await add({ ...newService(), save: true })).body as { operationId: string };
    const look = async (seconds: number) =>
      (await lab.ask('GET', `/v1/operations/${operationId}`, asAdmin({ prefer: `wait=${seconds}` }))).body as OperationBody;
    expect((await look(1)).state).toBe('running');
    const waiting = look(60);
    letGo();
    expect(await waiting).toMatchObject({ state: 'succeeded', result: { version: 1 } });
    expect((await look(60)).state).toBe('succeeded');
  });

  it('are seen, and cancelled, by who asked for them, and cancelled by nobody else', async () => {
    const letGo = lab.holdGuests();
    const serviceId = await lab.addService();
    const mine = { 'x-device-id': 'mine' };
    const { operationId } = (await lab.ask('POST', '/v1/service-vms', { body: { serviceId }, headers: mine })).body as {
      operationId: string;
    };
    const path = `/v1/operations/${operationId}`;
    expect((await lab.ask('GET', path, { headers: mine })).body).toMatchObject({ state: 'running', cancellable: true, principal: null });
    for (const headers of [nobody, { 'x-device-id': 'other' }]) {
      expect((await lab.ask('POST', `${path}/cancel`, { headers })).status).toBe(401);
    }
    expect((await lab.ask('POST', `${path}/cancel`, { headers: mine })).status).toBe(202);
    letGo();
    expect(await settled(operationId)).toMatchObject({ state: 'cancelled', cancellable: false, problem: { code: 'cancelled' } });
  });

  it('show the steps that are under way, with attempts', async () => {
    const letGo = lab.holdGuests();
    const serviceId = await lab.addService();
    const { operationId } = (await lab.ask('POST', '/v1/service-vms', { body: { serviceId } })).body as { operationId: string };
    await eventually(async () => {
      expect(await operation(operationId)).toMatchObject({
        progress: { phase: 'probe', step: 4, steps: 5 },
        attempts: [{ activity: 'awaitGuest', attempt: 1, lastFailure: null }],
      });
    });
    letGo();
    await settled(operationId);
  });

  it.each([
    [randomUUID(), 404],
    ['x', 400],
    ['%00', 400],
    ['..', 404],
  ])('that there are not, as %s, are told of as they are', async (id, status) => {
    expect((await lab.ask('GET', `/v1/operations/${id}`)).status).toBe(status);
    expect((await lab.ask('POST', `/v1/operations/${id}/cancel`)).status).toBe(status);
  });
});

describe('signing in', () => {
  const code = async () => (await lab.ask('POST', '/v1/sign-in-codes', asAdmin())).body as { code: string; expiresInSeconds: number };

  it('takes a code of an admin’s once, and the session is an admin until it signs out', async () => {
    const { code: once, expiresInSeconds } = await code();
    expect(expiresInSeconds).toBe(900);
    const session = await lab.ask('POST', '/v1/sessions', { body: { code: once } });
    expect(session.status).toBe(201);
    const { token } = session.body as { token: string };
    const headers = { authorization: `Bearer ${token}` };
    expect((await lab.ask('GET', '/v1/operations', { headers })).status).toBe(200);
    expect((await lab.ask('POST', '/v1/sessions', { body: { code: once } })).status).toBe(401);
    expect((await lab.ask('DELETE', '/v1/sessions/current', { headers })).status).toBe(204);
    const over = await lab.ask('GET', '/v1/operations', { headers });
    expect([over.status, problem(over).detail]).toEqual([401, expect.stringContaining('session has ended')]);
  });

  it('is not to be had by guessing', async () => {
    expect((await lab.ask('POST', '/v1/sign-in-codes')).status).toBe(401);
    const guesses = await Promise.all(Array.from({ length: 14 }, () => lab.ask('POST', '/v1/sessions', { body: { code: randomUUID() } })));
    const statuses = guesses.map(({ status }) => status);
    expect(statuses).toContain(429);
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(10);
    const late = guesses.find(({ status }) => status === 429)!;
    expect(Number(late.headers['retry-after'])).toBeGreaterThan(1);
    expect(problem(late)).toMatchObject({ code: 'rate-limited', retryAfterSeconds: Number(late.headers['retry-after']) });
  });

  it('out without having signed in changes nothing', async () => {
    expect((await lab.ask('DELETE', '/v1/sessions/current')).status).toBe(204);
  });
});

describe('what the cloudlet says of itself', () => {
  it('is for everybody: capacity, load, accelerators, services', async () => {
    const { body } = await lab.ask('GET', '/v1/cloudlet');
    expect(body).toMatchObject({
      id: lab.context.identity.id,
      name: 'cloudlet-test',
      version: '0.0.0-test',
      ready: true,
      accelerators: ['tcg'],
      hosts: [{ id: lab.hostId, up: true, problem: null, address: '127.0.0.1' }],
      peers: [],
    });
  });

  it('is plugins, to an admin', async () => {
    const { body } = await lab.ask('GET', '/v1/plugins', asAdmin());
    expect(body).toMatchObject({ plugins: [{ id: 'security-open', state: 'running', required: true, contributes: ['security.decide'] }] });
  });

  it('is figures, to an admin', async () => {
    const { text, headers } = await lab.ask('GET', '/metrics', asAdmin());
    expect(headers['content-type']).toMatch(/^text\/plain/);
    for (const name of [
      'cloudlet_service_vms',
      'cloudlet_users',
      'cloudlet_memory_total_bytes',
      'cloudlet_host_up',
      'cloudlet_http_request_duration_seconds_bucket',
    ]) {
      expect(text).toMatch(new RegExp(`^${name}(\\{|\\s)`, 'm'));
    }
    expect(text).toContain(`cloudlet_host_up{host="cloudlet-test"} 1`);
    expect(text).toMatch(
      /^cloudlet_http_request_duration_seconds_count\{method="GET",route="\/v1\/services\/:serviceId",status="404"\} [1-9]/m,
    );
  });

  it('is that it lives, and is ready', async () => {
    expect((await lab.ask('GET', '/health/live')).body).toEqual({ status: 'live' });
    const ready = await lab.ask('GET', '/health/ready');
    expect([ready.status, ready.body]).toMatchObject([
      200,
      { status: 'ready', degraded: [], checks: [{ ok: true }, { ok: true }, { ok: true }] },
    ]);
  });
});
