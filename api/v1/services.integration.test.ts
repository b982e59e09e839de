import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admitBuild } from '../../activities/store/builds.ts';
import { startBuild } from '../../temporal/client/start-build.ts';
import { openApiLab, type Answer, type ApiLab } from '../../test/support/api-lab.ts';
import { eventually } from '../../test/support/eventually.ts';
import { after, failsForGood } from '../../test/support/workflow-faults.ts';
import { testSpec } from '../../test/support/workflow-services.ts';
import type { Problem } from '../../workflows/contract/errors.ts';
import type { NewService, OperationBody, ServiceVmBody, ServiceView } from '../../workflows/contract/http.ts';

let lab: ApiLab;
beforeAll(async () => {
  lab = await openApiLab();
});
afterAll(() => lab?.close());

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

describe('a service', () => {
  const one = (serviceId: string) => lab.ask('GET', `/v1/services/${serviceId}`);
  const bare = (more: Partial<NewService> = {}) => {
    const { source: _source, save: _save, ...body } = newService(more);
    return body;
  };
  const path = (serviceId: string) => `/v1/services/${serviceId}`;

  it('can be made without an image; nobody can start it then, and a build that fails leaves it', async () => {
    const body = bare();
    const made = await add(body);
    expect([made.status, made.headers['location'], made.body]).toMatchObject([
      201,
      path(body.serviceId),
      { serviceId: body.serviceId, imageVersion: null, startable: false, startsBy: [] },
    ]);
    expect(made.headers['etag']).toBe((await one(body.serviceId)).headers['etag']);
    const start = await lab.ask('POST', '/v1/service-vms', { body: { serviceId: body.serviceId } });
    expect([start.status, problem(start).state]).toEqual([409, 'unbuilt']);
    const again = await add(body);
    expect([again.status, problem(again).code]).toEqual([409, 'name-taken']);

    lab.faults.of(`build-service-image/${body.serviceId}`).inject('prepareDisk#1', failsForGood('unsafe-image'));
    const { operationId } = (await add({ ...body, source: newService().source })).body as { operationId: string };
    expect((await settled(operationId)).state).toBe('failed');
    expect((await one(body.serviceId)).status).toBe(200);
    const built = (await add({ ...body, source: newService().source, save: true })).body as { operationId: string };
    expect((await settled(built.operationId)).state).toBe('succeeded');
    expect((await one(body.serviceId)).body).toMatchObject({ startable: true });
  });

  it('is changed in part or as a whole, and says with its ETag that it was', async () => {
    const serviceId = await lab.addService({ spec: { description: 'Old', tags: ['a'] } });
    const { headers, body } = await one(serviceId);
    const etag = String(headers['etag']);
    const patched = await lab.ask('PATCH', path(serviceId), {
      body: { description: 'New', poolSize: 2 },
      ...asAdmin({ 'if-match': etag }),
    });
    expect([patched.status, patched.body]).toMatchObject([200, { description: 'New', tags: ['a'], poolSize: 2 }]);
    expect(patched.headers['etag']).not.toBe(etag);
    expect((await one(serviceId)).headers['etag']).toBe(patched.headers['etag']);

    const late = await lab.ask('PATCH', path(serviceId), { body: { description: 'Newer' }, ...asAdmin({ 'if-match': etag }) });
    expect([late.status, problem(late).code]).toEqual([412, 'precondition-failed']);
    const late2 = await lab.ask('DELETE', path(serviceId), asAdmin({ 'if-match': etag }));
    expect(late2.status).toBe(412);

    const { ports } = body as ServiceView;
    const put = await lab.ask('PUT', path(serviceId), { body: { ports, osType: 'other' }, ...asAdmin({ 'if-match': '*' }) });
    expect(put.body).toMatchObject({ description: '', tags: [], poolSize: 0, osType: 'other', imageVersion: 1 });
  });

  it.each([
    [{ serviceId: 'another' }, '/body'],
    [{}, '/body'],
    [{ poolSize: 65 }, '/body/poolSize'],
    [{ osType: 'beos' }, '/body/osType'],
    [{ diskGrowthMib: 1 }, '/body/diskGrowthMib'],
    [{ memory: { minimumMib: 512, idealMib: 64 } }, '/body/memory/minimumMib'],
    [{ readiness: { kind: 'tcp', guestPort: 1, timeoutSeconds: 5 } }, '/body/readiness/guestPort'],
  ])('is not changed by %j', async (wrong, pointer) => {
    const serviceId = await lab.addService();
    const answer = await lab.ask('PATCH', path(serviceId), { body: wrong, ...asAdmin() });
    expect(answer.status).toBe(400);
    expect(problem(answer).errors!.map((error) => error.pointer)).toContainEqual(expect.stringMatching(new RegExp(`^${pointer}`)));
  });

  it('is told of wrong headers, and that it is not there', async () => {
    const serviceId = await lab.addService();
    expect((await lab.ask('PATCH', path(serviceId), { body: { vcpus: 2 }, ...asAdmin({ 'if-match': 'abc' }) })).status).toBe(400);
    for (const method of ['PATCH', 'PUT'] as const) {
      const body = method === 'PUT' ? { ports: newService().ports } : { vcpus: 2 };
      expect((await lab.ask(method, path('nobody'), { body, ...asAdmin() })).status).toBe(404);
      expect((await lab.ask(method, path(serviceId), { body })).status).toBe(401);
    }
  });

  it('that somebody uses is removed when that is asked for: its instances end, and it can be brought back', async () => {
    const serviceId = await lab.addService({ saved: true });
    const started = await lab.ask('POST', '/v1/service-vms', { body: { serviceId }, headers: { prefer: 'wait=20' } });
    const { serviceVm } = started.body as { serviceVm: ServiceVmBody };
    const removal = await lab.ask('DELETE', `${path(serviceId)}?stop=true`, asAdmin());
    const { operationId } = removal.body as { operationId: string };
    expect([removal.status, removal.headers['location']]).toEqual([202, `/v1/operations/${operationId}`]);
    expect(await settled(operationId)).toMatchObject({ kind: 'service.remove', state: 'succeeded', result: { serviceId, purged: false } });
    expect((await lab.ask('GET', `/v1/service-vms/${serviceVm.id}`, asAdmin())).body).toMatchObject({
      state: 'stopped',
      endReason: 'asked',
    });

    expect((await one(serviceId)).status).toBe(404);
    expect((await lab.ask('GET', '/v1/services?trashed=true')).status).toBe(401);
    const trash = (await lab.ask('GET', '/v1/services?trashed=true', asAdmin())).body as { services: ServiceView[] };
    expect(trash.services).toContainEqual(expect.objectContaining({ serviceId, trashedUntil: expect.any(String) }));
    const taken = await add(bare({ serviceId }));
    expect([taken.status, problem(taken).state]).toEqual([409, 'trashed']);

    expect((await lab.ask('POST', `${path(serviceId)}/restore`)).status).toBe(401);
    const restored = await lab.ask('POST', `${path(serviceId)}/restore`, asAdmin());
    expect([restored.status, restored.body]).toMatchObject([200, { serviceId, startable: true }]);
    expect((await lab.ask('POST', `${path(serviceId)}/restore`, asAdmin())).status).toBe(404);

    expect((await lab.ask('DELETE', `${path(serviceId)}?purge=true`, asAdmin())).status).toBe(204);
    expect((await add(bare({ serviceId }))).status).toBe(201);
  });

  it('whose removal is cancelled is there as before', async () => {
    const serviceId = await lab.addService();
    const started = await lab.ask('POST', '/v1/service-vms', { body: { serviceId }, headers: { prefer: 'wait=20' } });
    const { serviceVm } = started.body as { serviceVm: ServiceVmBody };
    const letEnd = Promise.withResolvers<void>();
    lab.faults.of(`service-vm/${serviceVm.id}`).inject(
      'destroyGuest#1',
      after(() => letEnd.promise),
    );
    const plan = lab.faults.of(`remove-service/${serviceId}`);
    const { operationId } = (await lab.ask('DELETE', `${path(serviceId)}?stop=true`, asAdmin())).body as { operationId: string };
    await plan.reached('liveInstancesOf#2');
    const start = await lab.ask('POST', '/v1/service-vms', { body: { serviceId } });
    expect(start.status).toBe(404);
    expect((await lab.ask('POST', `/v1/operations/${operationId}/cancel`, asAdmin())).status).toBe(202);
    expect(await settled(operationId)).toMatchObject({ state: 'cancelled', problem: { code: 'cancelled' } });
    letEnd.resolve();
    expect((await one(serviceId)).status).toBe(200);
  });
});

describe('a build that is admitted', () => {
  const request = () => {
    const { source, ...given } = newService();
    const serviceId = given.serviceId;
    return {
      spec: testSpec({ serviceId }),
      source: source!,
      save: false,
      principal: 'test',
      idempotency: { key: randomUUID(), requestHash: '0'.repeat(64) },
    };
  };

  it('is begun by the next request of the same key, where whoever admitted it died', async () => {
    const asked = request();
    const { operationId } = await admitBuild(lab.store, { ...asked, serviceId: asked.spec.serviceId });
    expect(await Promise.all([1, 2].map(() => startBuild(lab.store, lab.client, asked)))).toEqual([{ operationId }, { operationId }]);
    expect(await settled(operationId)).toMatchObject({ state: 'succeeded', result: { version: 1 } });
    expect(await startBuild(lab.store, lab.client, asked)).toEqual({ operationId });
    expect(await settled(operationId)).toMatchObject({ state: 'succeeded', result: { version: 1 } });
  });

  it('is not called failed where Temporal took it and could not say so', async () => {
    const asked = request();
    const start = async (...given: Parameters<typeof lab.client.workflow.start>) => {
      await lab.client.workflow.start(...given);
      throw Object.assign(new Error('14 UNAVAILABLE'), { code: 14, details: 'gone', metadata: {} });
    };
    const workflow: unknown = Object.create(lab.client.workflow, { start: { value: start } });
    const deaf = Object.create(lab.client, { workflow: { value: workflow } }) as typeof lab.client;
    await expect(startBuild(lab.store, deaf, asked)).rejects.toMatchObject({ code: 'workflow-unavailable' });
    const { operationId } = await startBuild(lab.store, lab.client, asked);
    expect(await settled(operationId)).toMatchObject({ state: 'succeeded' });
  });
});
