import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApiLab, type Answer, type ApiLab } from '../../test/support/api-lab.ts';
import { eventually } from '../../test/support/eventually.ts';
import type { Problem } from '../../workflows/contract/errors.ts';
import type { OperationBody, ServiceVmBody, StartAnswer } from '../../workflows/contract/http.ts';
import { warmAlone } from '../../test/support/warm-instances.ts';
import type { TestService } from '../../test/support/workflow-services.ts';

let lab: ApiLab;
beforeAll(async () => {
  lab = await openApiLab();
});
afterAll(() => lab?.close());

const asDevice = (name: string = randomUUID()) => ({ 'x-device-id': name });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const waiting = { prefer: 'wait=20' };
const start = (body: unknown, headers: Record<string, string> = {}) =>
  lab.ask('POST', '/v1/service-vms', { body, headers: { ...asDevice(), ...headers } });
const problem = ({ body }: Answer) => body as Problem;

async function startReady(service: TestService = {}, headers: Record<string, string> = {}): Promise<StartAnswer> {
  const answer = await start({ serviceId: await lab.addService(service) }, { ...waiting, ...headers });
  expect(answer.status).toBe(200);
  return answer.body as StartAnswer;
}
const joinAs = async ({ serviceVm }: StartAnswer, headers: Record<string, string> = asDevice()) =>
  (await lab.ask('POST', `/v1/service-vms/${serviceVm.id}/join`, { headers })).body as StartAnswer;
const view = async (id: string) => (await lab.ask('GET', `/v1/service-vms/${id}`, { headers: lab.asAdmin })).body as ServiceVmBody;
const untilState = (id: string, state: string) => eventually(async () => expect((await view(id)).state).toBe(state));

describe('starting', () => {
  it('answers at once with an instance, a lease on it and the operation to watch', async () => {
    const letGo = lab.holdGuests();
    const serviceId = await lab.addService({ spec: { leaseSeconds: 90 } });
    const answer = await start({ serviceId });
    const { serviceVm, lease, operationId, joined } = answer.body as StartAnswer;
    expect(answer.status).toBe(202);
    expect(answer.headers['location']).toBe(`/v1/operations/${operationId}`);
    expect(serviceVm).toMatchObject({ serviceId, address: null, ports: [], users: 1, readyAt: null, endedAt: null });
    expect(lease).toEqual({ token: expect.stringMatching(/^cll_/), expiresInSeconds: 90 });
    expect(joined).toBe(false);
    letGo();
    await eventually(async () => {
      const operation = (await lab.ask('GET', `/v1/operations/${operationId}`)).body as OperationBody;
      expect(operation).toMatchObject({ kind: 'service-vm.start', state: 'succeeded', subject: serviceVm.id, principal: null });
    });
  });

  it('waits as long as the client would like to, and then says where the instance is', async () => {
    const { serviceVm, joined } = await startReady();
    expect(joined).toBe(false);
    expect(serviceVm).toMatchObject({
      state: 'ready',
      rung: 'cold-boot',
      address: '127.0.0.1',
      ports: [
        { name: 'http', protocol: 'tcp', guestPort: 8080, hostPort: expect.any(Number) },
        { name: 'video', protocol: 'udp', guestPort: 5004, hostPort: expect.any(Number) },
      ],
    });
  });

  it('does not wait longer than that', async () => {
    const letGo = lab.holdGuests();
    const startedAt = performance.now();
    const answer = await start({ serviceId: await lab.addService() }, { prefer: 'respond-async, wait=1' });
    letGo();
    expect(answer.status).toBe(202);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('says by which rung it comes, and when it is expected to answer, as far as former starts tell', async () => {
    const serviceId = await lab.addService({ saved: true });
    const first = (await start({ serviceId, join: false }, waiting)).body as StartAnswer;
    expect(first).toMatchObject({ rung: 'restore', expectedReadyAt: first.serviceVm.readyAt });

    const letGo = lab.holdGuests();
    const took = Date.parse(first.serviceVm.readyAt!) - Date.parse(first.serviceVm.requestedAt);
    const second = (await start({ serviceId, join: false })).body as StartAnswer;
    const joiner = (await start({ serviceId: second.serviceVm.serviceId })).body as StartAnswer;
    const unknown = (await start({ serviceId: await lab.addService() })).body as StartAnswer;
    letGo();
    expect(second).toMatchObject({ rung: 'restore', serviceVm: { state: 'provisioning' } });
    expect(Date.parse(second.expectedReadyAt!)).toBeGreaterThanOrEqual(Date.parse(second.serviceVm.requestedAt) + took);
    expect(unknown).toMatchObject({ rung: 'cold-boot', expectedReadyAt: null });
    expect(joiner).toMatchObject({ joined: false });
  });

  it('claims a warm one where one waits, and its operation tells the phases', async () => {
    const serviceId = await warmAlone(lab, { saved: true });
    const claimed = (await start({ serviceId }, waiting)).body as StartAnswer;
    expect(claimed).toMatchObject({ rung: 'claim', joined: false, serviceVm: { purpose: 'serve', state: 'ready', rung: 'claim' } });
    const joined = (await start({ serviceId })).body as StartAnswer;
    expect(joined).toMatchObject({ rung: 'join', joined: true, expectedReadyAt: claimed.serviceVm.readyAt });
    const { body } = await lab.ask('GET', `/v1/operations/${claimed.operationId}`);
    expect(body).toMatchObject({ state: 'succeeded', progress: { phase: 'publish', step: 5, steps: 5 } });
  });

  it('shows warm instances to admins, and their figures to Prometheus', async () => {
    const serviceId = await warmAlone(lab);
    const { body } = await lab.ask('GET', `/v1/service-vms?state=warm&serviceId=${serviceId}`, { headers: lab.asAdmin });
    expect(body).toMatchObject({ serviceVms: [{ serviceId, state: 'warm', purpose: 'warm', address: null, users: 0 }] });
    const { text } = await lab.ask('GET', '/metrics', { headers: lab.asAdmin });
    expect(text).toContain(`cloudlet_warm_service_vms{service="${serviceId}",state="warm"} 1`);
  });

  it('finds what runs already, at once', async () => {
    const first = await startReady();
    const answer = await start({ serviceId: first.serviceVm.serviceId });
    expect(answer.status).toBe(200);
    expect(answer.headers['location']).toBe(`/v1/service-vms/${first.serviceVm.id}`);
    expect(answer.body).toMatchObject({ joined: true, serviceVm: { id: first.serviceVm.id, users: 2 } });
    const own = await start({ serviceId: first.serviceVm.serviceId, join: false }, waiting);
    expect(own.body).toMatchObject({ joined: false, serviceVm: { users: 1 } });
    expect((own.body as StartAnswer).serviceVm.id).not.toBe(first.serviceVm.id);
  });

  it('is refused for lack of room with numbers, soon, though the client did not wait', async () => {
    const answer = await start({
      serviceId: await lab.addService({ spec: { memory: { minimumMib: 1024 * 1024, idealMib: 1024 * 1024 } } }),
    });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('30');
    expect(problem(answer)).toMatchObject({
      type: 'urn:cloudlet:problem:capacity-exhausted',
      resource: 'memory',
      needed: 1024 * 1024,
      free: expect.any(Number),
      traceId: expect.any(String),
    });
  });

  it.each([
    [{ serviceId: 'no.such.service' }, 404, 'not-found'],
    [{ serviceId: '' }, 400, 'invalid-input'],
    [{ serviceId: '../etc' }, 400, 'invalid-input'],
    [{}, 400, 'invalid-input'],
    [{ serviceId: 'a', join: 'yes' }, 400, 'invalid-input'],
    [{ serviceId: 'a', extra: 1 }, 400, 'invalid-input'],
  ])('with %j is answered %i %s', async (body, status, code) => {
    const answer = await start(body);
    expect(answer.status).toBe(status);
    expect(problem(answer).code).toBe(code);
  });

  it('with a key is answered the same however often it comes, and refused for another request', async () => {
    const serviceId = await lab.addService();
    const headers = { ...asDevice(), 'idempotency-key': 'one', ...waiting };
    const [first, again] = await Promise.all([start({ serviceId }, headers), start({ serviceId }, headers)]);
    expect(again.body).toEqual(first.body);
    expect((await start({ serviceId }, headers)).body).toEqual(first.body);
    expect(await view((first.body as StartAnswer).serviceVm.id)).toMatchObject({ users: 1 });
    const other = await start({ serviceId, join: false }, headers);
    expect([other.status, problem(other).code]).toEqual([400, 'invalid-input']);
  });

  it('with a key joins once, too', async () => {
    const { serviceVm } = await startReady();
    const headers = { ...asDevice(), 'idempotency-key': 'join-once' };
    const join = () => lab.ask('POST', `/v1/service-vms/${serviceVm.id}/join`, { headers });
    const [first, again] = [await join(), await join()];
    expect(again.body).toEqual(first.body);
    expect((await start({ serviceId: serviceVm.serviceId }, { ...headers, 'idempotency-key': 'start-once' })).status).toBe(200);
  });
});

describe('a lease token', () => {
  it('shows the address, renews, and leaves; the last to leave ends the instance', async () => {
    const first = await startReady();
    const second = await joinAs(first);
    const path = `/v1/service-vms/${first.serviceVm.id}`;
    expect((await lab.ask('GET', path, { headers: bearer(first.lease.token) })).body).toMatchObject({ address: '127.0.0.1', users: 2 });
    const renewed = await lab.ask('POST', `${path}/renew`, { headers: bearer(first.lease.token) });
    expect([renewed.status, renewed.body]).toEqual([200, { expiresInSeconds: first.lease.expiresInSeconds }]);
    const left = await lab.ask('POST', `${path}/leave`, { headers: bearer(first.lease.token) });
    expect([left.status, left.text]).toEqual([204, '']);
    expect(await view(first.serviceVm.id)).toMatchObject({ state: 'ready', users: 1 });
    await lab.ask('POST', `${path}/leave`, { headers: bearer(second.lease.token) });
    await untilState(first.serviceVm.id, 'stopped');
    expect(await view(first.serviceVm.id)).toMatchObject({ endReason: 'last-user-left', address: null, ports: [] });
  });

  it('is good for nothing once its lease has ended', async () => {
    const { serviceVm, lease } = await startReady();
    await lab.ask('POST', `/v1/service-vms/${serviceVm.id}/leave`, { headers: bearer(lease.token) });
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/renew'],
      ['POST', '/leave'],
      ['POST', '/stop'],
    ] as const) {
      const answer = await lab.ask(method, `/v1/service-vms/${serviceVm.id}${path}`, { headers: bearer(lease.token) });
      expect([answer.status, problem(answer).code]).toEqual([401, 'unauthenticated']);
    }
  });

  const actions = [
    ['GET', ''],
    ['POST', '/renew'],
    ['POST', '/leave'],
    ['POST', '/stop'],
  ] as const;
  const strangers = [
    ['nobody', async () => ({})],
    ['another device', async () => asDevice()],
    ['who holds another instance', async () => bearer((await startReady()).lease.token)],
  ] as const;

  it.each(actions.flatMap(([method, path]) => strangers.map(([who, headers]) => ({ method, path, who, headers }))))(
    'is needed by $who for $method $path, who learns nothing, not even whether there is one',
    async ({ method, path, headers }) => {
      const { serviceVm } = await startReady({}, { 'x-device-id': 'owner' });
      const sent = await headers();
      const [real, none] = [
        await lab.ask(method, `/v1/service-vms/${serviceVm.id}${path}`, { headers: sent }),
        await lab.ask(method, `/v1/service-vms/${randomUUID()}${path}`, { headers: sent }),
      ];
      expect([401, 403]).toContain(real.status);
      const { traceId: _, ...told } = problem(real);
      const { traceId: __, ...toldOfNone } = problem(none);
      expect(told).toEqual(toldOfNone);
      expect(real.text).not.toMatch(/127\.0\.0\.1|hostPort|serviceId/);
      expect(await view(serviceVm.id)).toMatchObject({ state: 'ready', users: 1 });
    },
  );

  it('is not made up for by naming the device that holds the lease', async () => {
    const { serviceVm } = await startReady({}, { 'x-device-id': 'owner-device' });
    const answer = await lab.ask('GET', `/v1/service-vms/${serviceVm.id}`, { headers: { 'x-device-id': 'owner-device' } });
    expect(answer.status).toBe(401);
  });

  it.each([
    ['a token that nobody gave', 'Bearer cll_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
    ['something else', 'Bearer x'],
    ['another scheme', 'Basic YWRtaW46YWRtaW4='],
    ['nothing after the scheme', 'Bearer '],
    ['two tokens', 'Bearer a b'],
    ['a token of a megabyte less a bit', `Bearer ${'a'.repeat(8000)}`],
  ])('is refused as %s, everywhere', async (_, authorization) => {
    for (const path of ['/v1/services', '/v1/cloudlet', '/metrics', `/v1/service-vms/${randomUUID()}`]) {
      const answer = await lab.ask('GET', path, { headers: { authorization } });
      expect([answer.status, problem(answer).code]).toEqual([401, 'unauthenticated']);
    }
  });
});

describe('joining', () => {
  it('needs the id of an instance that others may use', async () => {
    const shared = await startReady();
    const own = (await start({ serviceId: shared.serviceVm.serviceId, join: false }, waiting)).body as StartAnswer;
    const join = (id: string) => lab.ask('POST', `/v1/service-vms/${id}/join`, { headers: asDevice() });
    expect((await join(shared.serviceVm.id)).body).toMatchObject({ joined: true, serviceVm: { users: 2, address: '127.0.0.1' } });
    expect((await join(own.serviceVm.id)).status).toBe(403);
    expect((await join(randomUUID())).status).toBe(404);
    expect((await join('x')).status).toBe(400);
  });

  it('is refused when all places are taken, and when the instance ends', async () => {
    const { serviceVm, lease } = await startReady({ spec: { maximumUsers: 1 } });
    const full = await lab.ask('POST', `/v1/service-vms/${serviceVm.id}/join`, { headers: asDevice() });
    expect([full.status, problem(full).resource]).toEqual([503, 'users']);
    await lab.ask('POST', `/v1/service-vms/${serviceVm.id}/leave`, { headers: bearer(lease.token) });
    await untilState(serviceVm.id, 'stopped');
    const over = await lab.ask('POST', `/v1/service-vms/${serviceVm.id}/join`, { headers: asDevice() });
    expect([over.status, problem(over).state]).toEqual([409, 'stopped']);
  });
});

describe('stopping', () => {
  it('is for the only user, or for an admin', async () => {
    const first = await startReady();
    const second = await joinAs(first);
    const path = `/v1/service-vms/${first.serviceVm.id}`;
    const shared = await lab.ask('POST', `${path}/stop`, { headers: bearer(first.lease.token) });
    expect([shared.status, problem(shared).state]).toEqual([409, 'shared']);
    await lab.ask('POST', `${path}/leave`, { headers: bearer(second.lease.token) });
    const stopped = await lab.ask('POST', `${path}/stop`, { headers: { ...bearer(first.lease.token), ...waiting } });
    expect(stopped.status).toBe(202);
    expect(await view(first.serviceVm.id)).toMatchObject({ state: 'stopped', endReason: 'asked', users: 0 });
    const { operationId } = stopped.body as { operationId: string };
    expect(stopped.headers['location']).toBe(`/v1/operations/${operationId}`);
    expect((await lab.ask('GET', `/v1/operations/${operationId}`)).body).toMatchObject({ kind: 'service-vm.stop', state: 'succeeded' });
  });

  it('repeats without a fuss when it has a key, and is refused without', async () => {
    const { serviceVm } = await startReady();
    const stop = (headers = {}) =>
      lab.ask('POST', `/v1/service-vms/${serviceVm.id}/stop`, { headers: { ...lab.asAdmin, ...waiting, ...headers } });
    const key = { 'idempotency-key': randomUUID() };
    const first = await stop(key);
    expect((await stop(key)).body).toEqual(first.body);
    const again = await stop();
    expect([again.status, problem(again).state]).toEqual([409, 'stopped']);
    const operations = (await lab.ask('GET', '/v1/operations?kind=service-vm.stop&limit=999', { headers: lab.asAdmin })).body as {
      operations: OperationBody[];
    };
    expect(operations.operations.filter(({ subject }) => subject === serviceVm.id)).toHaveLength(1);
  });

  it('cuts a start short, and those who wait for it are told', async () => {
    const letGo = lab.holdGuests();
    const serviceId = await lab.addService();
    const waitingFor = start({ serviceId }, { prefer: 'wait=20' });
    const { serviceVms } = await eventually(async () => {
      const listed = (await lab.ask('GET', `/v1/service-vms?serviceId=${serviceId}&state=provisioning`, { headers: lab.asAdmin })).body as {
        serviceVms: ServiceVmBody[];
      };
      expect(listed.serviceVms).toHaveLength(1);
      return listed;
    });
    await lab.ask('POST', `/v1/service-vms/${serviceVms[0]!.id}/stop`, { headers: lab.asAdmin });
    const told = await waitingFor;
    letGo();
    expect([told.status, problem(told).code]).toEqual([409, 'state-conflict']);
    await untilState(serviceVms[0]!.id, 'stopped');
  });
});

describe('the list of instances', () => {
  it('is for admins, by state and service, page by page', async () => {
    const serviceId = await lab.addService({ spec: { sharing: 'own' } });
    const started = await Promise.all(Array.from({ length: 5 }, () => start({ serviceId }, waiting)));
    const list = async (query: string) =>
      (await lab.ask('GET', `/v1/service-vms?serviceId=${serviceId}${query}`, { headers: lab.asAdmin })).body as {
        serviceVms: ServiceVmBody[];
        next: string | null;
      };
    const pages: ServiceVmBody[][] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Awaited<ReturnType<typeof list>> = await list(`&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      pages.push(page.serviceVms);
      cursor = page.next;
    }
    expect(pages.map(({ length }) => length)).toEqual([2, 2, 1]);
    const ids = started.map(({ body }) => (body as StartAnswer).serviceVm.id);
    expect(
      pages
        .flat()
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(ids.toSorted());
    expect((await list('&state=ready')).serviceVms).toHaveLength(5);
    expect((await list('&state=stopped')).serviceVms).toEqual([]);
    expect((await list('&state=all')).serviceVms).toHaveLength(5);
  });

  it.each([
    ['cursor=zzz', '/querystring/cursor'],
    ['cursor=%00', '/querystring/cursor'],
    ['limit=0', '/querystring/limit'],
    ['limit=1000', '/querystring/limit'],
    ['limit=-1', '/querystring/limit'],
    ['limit=1&limit=2', '/querystring/limit'],
    ['state=gone', '/querystring/state'],
    ['serviceId=a%00b', '/querystring/serviceId'],
  ])('is refused with %s, naming what is wrong', async (query, pointer) => {
    const answer = await lab.ask('GET', `/v1/service-vms?${query}`, { headers: lab.asAdmin });
    expect(answer.status).toBe(400);
    expect(problem(answer).errors!.map((error) => error.pointer)).toContain(pointer);
  });

  it('is refused to everybody else', async () => {
    const { lease } = await startReady();
    for (const headers of [{}, asDevice(), bearer(lease.token)]) {
      for (const path of ['/v1/service-vms', '/v1/operations', '/v1/plugins', '/metrics', `/v1/service-vms/${randomUUID()}/log`]) {
        const answer = await lab.ask('GET', path, { headers });
        expect([path, answer.status]).toEqual([path, 401]);
      }
    }
  });
});

describe('the serial log', () => {
  it('is text, of an instance that ran here', async () => {
    const { serviceVm } = await startReady();
    const log = await lab.ask('GET', `/v1/service-vms/${serviceVm.id}/log`, { headers: lab.asAdmin });
    expect([log.status, log.headers['content-type'], log.text]).toEqual([200, 'text/plain; charset=utf-8', `console of ${serviceVm.id}`]);
    expect((await lab.ask('GET', `/v1/service-vms/${randomUUID()}/log`, { headers: lab.asAdmin })).status).toBe(404);
  });
});
