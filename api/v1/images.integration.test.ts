import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, rm, truncate, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostPaths, imagePath } from '../../activities/images/host-paths.ts';
import { openApiLab, type Answer, type ApiLab } from '../../test/support/api-lab.ts';
import { eventually } from '../../test/support/eventually.ts';
import { hangs } from '../../test/support/workflow-faults.ts';
import { cloudletTaskQueue } from '../../workflows/contract/ids.ts';
import type { Problem } from '../../workflows/contract/errors.ts';
import type { NewService, OperationBody, ServiceVmBody } from '../../workflows/contract/http.ts';
import type { ImageBody, ServiceImageBody } from '../../workflows/contract/image.ts';

let lab: ApiLab;
beforeAll(async () => {
  lab = await openApiLab();
});
afterAll(() => lab?.close());

const problem = ({ body }: Answer) => body as Problem;
const asAdmin = (headers: Record<string, string> = {}) => ({ headers: { ...lab.asAdmin, ...headers } });
const settled = (id: string) =>
  eventually(async () => {
    const found = (await lab.ask('GET', `/v1/operations/${id}`, asAdmin())).body as OperationBody;
    expect(found.state).not.toBe('running');
    return found;
  }, 20_000);

/** Builds a service, or the next version of it. @returns its name */
async function build(serviceId = `test.${randomUUID()}`): Promise<string> {
  const body: NewService = {
    serviceId,
    ports: [{ name: 'http', protocol: 'tcp', guestPort: 8080 }],
    memory: { minimumMib: 64, idealMib: 64 },
    source: { kind: 'catalogue', serviceId },
    save: true,
  };
  const { operationId } = (await lab.ask('POST', '/v1/services', { body, ...asAdmin() })).body as { operationId: string };
  expect((await settled(operationId)).state).toBe('succeeded');
  return serviceId;
}

const pathOf = (serviceId: string) => `/v1/services/${serviceId}/images`;
const versions = async (serviceId: string) =>
  ((await lab.ask('GET', pathOf(serviceId), asAdmin())).body as { images: ServiceImageBody[] }).images;
const all = async () => ((await lab.ask('GET', '/v1/images', asAdmin())).body as { images: ImageBody[] }).images;
const of = async (serviceId: string) => (await all()).filter(({ usedBy }) => usedBy.some((use) => use.serviceId === serviceId));
const start = async (serviceId: string) =>
  ((await lab.ask('POST', '/v1/service-vms', { body: { serviceId }, headers: { prefer: 'wait=20' } })).body as { serviceVm: ServiceVmBody })
    .serviceVm;
const stop = (id: string) => lab.ask('POST', `/v1/service-vms/${id}/stop`, asAdmin({ prefer: 'wait=20' }));
const fileOf = (sha256: string) => imagePath(hostPaths(lab.parts.dataDir.root), sha256);
const reconcile = async () => {
  const workflowId = randomUUID();
  await lab.context.temporal.workflow.start('reconcileHost', { workflowId, taskQueue: cloudletTaskQueue, args: [{ hostId: lab.hostId }] });
  await lab.context.temporal.workflow.getHandle(workflowId).result();
};

describe('the images of a service', () => {
  it('are its versions, of which one is started from; going back takes one request', async () => {
    const serviceId = await build();
    await build(serviceId);
    const [second, first] = await versions(serviceId);
    expect([second, first]).toMatchObject([
      { version: 2, selected: true, instances: 0, savedState: { fits: true, memoryMib: 64, vcpus: 1, under: { machine: 'q35' } } },
      { version: 1, selected: false },
    ]);
    const old = await start(serviceId);
    const { headers } = await lab.ask('GET', `/v1/services/${serviceId}`);
    const back = await lab.ask('POST', `${pathOf(serviceId)}/1/select`, asAdmin({ 'if-match': String(headers['etag']) }));
    expect([back.status, back.body]).toMatchObject([200, { serviceId, imageVersion: 1 }]);
    const late = await lab.ask('POST', `${pathOf(serviceId)}/2/select`, asAdmin({ 'if-match': String(headers['etag']) }));
    expect(late.status).toBe(412);
    expect(await versions(serviceId)).toMatchObject([
      { version: 2, selected: false, instances: 1 },
      { version: 1, selected: true, instances: 0 },
    ]);
    await stop(old.id);
  });

  it('are deleted when nothing starts from them and nothing runs on them; then their files go', async () => {
    const serviceId = await build();
    const running = await start(serviceId);
    const files = (await of(serviceId)).map(({ sha256 }) => fileOf(sha256));
    await build(serviceId);
    const remove = (version: number) => lab.ask('DELETE', `${pathOf(serviceId)}/${version}`, asAdmin());
    expect(problem(await remove(2)).state).toBe('selected');
    expect(problem(await remove(1)).state).toBe('running');
    await stop(running.id);
    expect((await remove(1)).status).toBe(204);
    expect((await remove(1)).status).toBe(404);
    expect(files.map(existsSync)).toEqual([true, true, true]);
    await reconcile();
    expect(files.map(existsSync)).toEqual([false, false, false]);
    expect(await of(serviceId)).toHaveLength(3);
  });

  it('stay on disk while an operation makes images, and while an overlay lies upon them', async () => {
    const serviceId = await build();
    const running = await start(serviceId);
    const [left, below] = ['1'.repeat(64), '2'.repeat(64)].map(fileOf) as [string, string];
    await writeFile(left, 'left over');
    await writeFile(below, 'a base that no row knows');
    await writeFile(hostPaths(lab.parts.dataDir.root).instances + `/${running.id}/disk.qcow2`, qcow2Upon(below));

    const another = `test.${randomUUID()}`;
    const plan = lab.faults.of(`build-service-image/${another}`).inject('prepareDisk#1', hangs);
    const building = build(another).catch(() => undefined);
    await plan.reached('prepareDisk#1');
    await reconcile();
    expect([left, below].map(existsSync)).toEqual([true, true]);
    await lab.context.temporal.workflow.getHandle(`build-service-image/${another}`).cancel();
    await building;
    await reconcile();
    expect([left, below].map(existsSync)).toEqual([false, true]);
    await stop(running.id);
    await reconcile();
    expect(existsSync(below)).toBe(false);
  });

  it('are not for strangers, and told of when they are not there', async () => {
    const serviceId = await build();
    for (const [method, url] of [
      ['GET', '/v1/images'],
      ['POST', '/v1/images/verify'],
      ['GET', pathOf(serviceId)],
      ['POST', `${pathOf(serviceId)}/1/select`],
      ['DELETE', `${pathOf(serviceId)}/1`],
    ] as const) {
      expect((await lab.ask(method, url)).status).toBe(401);
    }
    expect((await lab.ask('GET', pathOf('nobody'), asAdmin())).status).toBe(404);
    expect((await lab.ask('POST', `${pathOf(serviceId)}/2/select`, asAdmin())).status).toBe(404);
    expect((await lab.ask('POST', `${pathOf(serviceId)}/0/select`, asAdmin())).status).toBe(400);
  });
});

describe('verifying images', () => {
  it('names what is damaged or gone, in its result and beside every copy', async () => {
    await lab.store.fork().execute('delete from image_locations');
    const serviceId = await build();
    const images = await of(serviceId);
    const memory = images.find(({ kind }) => kind === 'memory')!;
    const base = images.find(({ kind, backing }) => kind === 'disk' && backing === null)!;
    const saved = images.find(({ backing }) => backing === base.sha256)!;
    await chmod(fileOf(memory.sha256), 0o600);
    await truncate(fileOf(memory.sha256), 1);
    await rm(fileOf(base.sha256));

    const { operationId } = (await lab.ask('POST', '/v1/images/verify', asAdmin())).body as { operationId: string };
    const { kind, state, result } = await settled(operationId);
    expect({ kind, state, result }).toEqual({
      kind: 'image.verify',
      state: 'succeeded',
      result: {
        checked: 3,
        damaged: expect.arrayContaining([
          { hostId: lab.hostId, sha256: memory.sha256, kind: 'memory', damage: expect.stringMatching(/^it has 1 B instead of/) },
          { hostId: lab.hostId, sha256: base.sha256, kind: 'disk', damage: 'it is gone' },
        ]),
      },
    });
    const found = new Map((await of(serviceId)).map(({ sha256, copies }) => [sha256, copies[0]]));
    expect(found.get(saved.sha256)).toEqual({ hostId: lab.hostId, verifiedAt: expect.any(String), damage: null });
    expect(found.get(base.sha256)).toMatchObject({ damage: 'it is gone' });
  });

  it('is done once at a time, and can be cancelled', async () => {
    await build();
    const plan = lab.faults.of('verify-images');
    const nth = plan.calls.filter((key) => key.startsWith('verifyImage#')).length + 1;
    plan.inject(`verifyImage#${nth}`, hangs);
    const { operationId } = (await lab.ask('POST', '/v1/images/verify', asAdmin())).body as { operationId: string };
    await plan.reached(`verifyImage#${nth}`);
    const second = await lab.ask('POST', '/v1/images/verify', asAdmin());
    expect([second.status, problem(second).operationId]).toEqual([409, operationId]);
    expect((await lab.ask('POST', `/v1/operations/${operationId}/cancel`, asAdmin())).status).toBe(202);
    expect((await settled(operationId)).state).toBe('cancelled');
  });
});

/** The header of a disk that is a difference to another. */
function qcow2Upon(base: string): Buffer {
  const header = Buffer.alloc(1024);
  header.writeUInt32BE(0x514649fb, 0);
  header.writeBigUInt64BE(256n, 8);
  header.writeUInt32BE(Buffer.byteLength(base), 16);
  header.write(base, 256);
  return header;
}
