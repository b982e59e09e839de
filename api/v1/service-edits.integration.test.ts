import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../../temporal/cli/api-client.ts';
import type { ServiceEditBody } from '../../workflows/contract/http.ts';
import { consoleGreeting, openApiLab, type ApiLab } from '../../test/support/api-lab.ts';
import { eventually } from '../../test/support/eventually.ts';
import { failsForGood } from '../../test/support/workflow-faults.ts';
import { buildServiceImageWorkflowId } from '../../workflows/contract/ids.ts';

let lab: ApiLab;
beforeAll(async () => {
  lab = await openApiLab();
});
afterAll(() => lab?.close());

const asAdmin = (headers = {}) => ({ headers: { ...lab.asAdmin, ...headers } });
const ask = (method: 'GET' | 'POST' | 'DELETE', serviceId: string, rest = '', headers = {}) =>
  lab.ask(method, `/v1/services/${serviceId}/edit${rest}`, asAdmin(headers));

/** Asks for the editing VM of a new service. @returns the service, and the operation */
async function edited(): Promise<{ serviceId: string; operationId: string }> {
  const serviceId = await lab.addService();
  const { status, body } = await ask('POST', serviceId);
  expect(status).toBe(202);
  await eventually(async () => expect((await ask('GET', serviceId)).body).toMatchObject({ state: 'ready', message: 'Ready to be edited' }));
  return { serviceId, ...(body as { operationId: string }) };
}

const operation = async (id: string) => (await lab.ask('GET', `/v1/operations/${id}`, asAdmin())).body;
const ended = (id: string, state: string) => eventually(async () => expect(await operation(id)).toMatchObject({ state }));
const imageOf = async (serviceId: string) =>
  ((await lab.ask('GET', `/v1/services/${serviceId}`)).body as { imageVersion: number }).imageVersion;

/** The command line's, of the admin. */
async function clientOf({ parts, context }: ApiLab, port: number): Promise<ApiClient> {
  const dataDir = parts.dataDir.root;
  await writeFile(join(dataDir, 'admin.token'), context.adminToken);
  return new ApiClient({ apiHost: '127.0.0.1', apiPort: port, dataDir });
}

describe('the image of a service', () => {
  it('is edited in a VM that says where it is, and saved as the next version', async () => {
    const { serviceId, operationId } = await edited();
    const { body } = await ask('GET', serviceId);
    expect(body).toMatchObject({
      operationId,
      principal: 'admin:admin.token',
      imageVersion: 2,
      address: '127.0.0.1',
      vnc: { host: '127.0.0.1', port: 5900 },
    } satisfies Partial<ServiceEditBody>);
    expect((body as ServiceEditBody).ports.map(({ name }) => name)).toEqual(['http', 'video']);
    expect(await imageOf(serviceId)).toBe(1);
    expect((await ask('POST', serviceId, '/save', { prefer: 'wait=30' })).status).toBe(202);
    await ended(operationId, 'succeeded');
    expect(await imageOf(serviceId)).toBe(2);
    expect((await ask('GET', serviceId)).status).toBe(404);
  });

  it('is answered for once its VM is up, or cannot be, to whoever would like to wait', async () => {
    const serviceId = await lab.addService();
    expect((await ask('POST', serviceId, '', { prefer: 'wait=60' })).status).toBe(202);
    expect((await ask('GET', serviceId)).body).toMatchObject({ state: 'ready' });
    await ask('DELETE', serviceId);
    expect(await ask('POST', await lab.addService(), '?version=7', { prefer: 'wait=60' })).toMatchObject({
      status: 404,
      body: { code: 'not-found', detail: expect.stringContaining('image 7') },
    });
  });

  it('is edited by one admin at a time, who is named together with the operation', async () => {
    const { serviceId, operationId } = await edited();
    expect(await ask('POST', serviceId)).toMatchObject({
      status: 409,
      body: { code: 'operation-in-progress', operationId, detail: expect.stringContaining('admin:admin.token') },
    });
    await ask('DELETE', serviceId);
    await ended(operationId, 'cancelled');
    expect(await imageOf(serviceId)).toBe(1);
  });

  it('is edited on where it cannot be saved', async () => {
    const { serviceId, operationId } = await edited();
    lab.faults.of(buildServiceImageWorkflowId(serviceId)).inject('saveGuest#1', failsForGood('capacity-exhausted'));
    expect(await ask('POST', serviceId, '/save', { prefer: 'wait=30' })).toMatchObject({
      status: 503,
      body: { code: 'capacity-exhausted' },
    });
    await eventually(async () =>
      expect((await ask('GET', serviceId)).body).toMatchObject({ state: 'ready', message: expect.stringMatching(/^It was not saved, /) }),
    );
    expect((await ask('POST', serviceId, '/save', { prefer: 'wait=30' })).status).toBe(202);
    await ended(operationId, 'succeeded');
  });

  it('keeps how its service is run, as others have changed it meanwhile', async () => {
    const { serviceId, operationId } = await edited();
    await lab.store
      .fork()
      .execute(`update services set spec = jsonb_set(spec, '{description}', '"changed"') where service_id = ?`, [serviceId]);
    await ask('POST', serviceId, '/save', { prefer: 'wait=30' });
    await ended(operationId, 'succeeded');
    expect((await lab.ask('GET', `/v1/services/${serviceId}`)).body).toMatchObject({ description: 'changed', imageVersion: 2 });
  });

  it('cannot be edited where there is no such service, or version', async () => {
    expect((await ask('POST', 'test.nothing')).status).toBe(404);
    const serviceId = await lab.addService();
    const { body } = await ask('POST', serviceId, '?version=7');
    const { operationId } = body as { operationId: string };
    await ended(operationId, 'failed');
    expect(await operation(operationId)).toMatchObject({ problem: { code: 'not-found', detail: expect.stringContaining('image 7') } });
  });

  it('has a serial console in its editing VM, typed at and read in one request for as long as somebody likes', async () => {
    const { serviceId, operationId } = await edited();
    const requestTimeoutMs = 200;
    const hasty = await lab.anotherApp({ requestTimeoutMs });
    await hasty.listen({ host: '127.0.0.1', port: 0, listenTextResolver: () => '' });
    const client = await clientOf(lab, (hasty.server.address() as AddressInfo).port);
    const [typed, printed] = [new PassThrough(), new PassThrough()];
    const said = () => (printed.read() as Buffer | null)?.toString() ?? '';
    const talk = client.talk(`/v1/services/${serviceId}/edit/console`, typed, printed);
    let heard = '';
    await eventually(async () => expect((heard += said())).toBe(consoleGreeting));
    // Longer than any other body may take.
    await sleep(3 * requestTimeoutMs);
    for (const line of ['root\n', 'ls\n']) {
      typed.write(line);
      await eventually(async () => expect((heard += said())).toContain(line));
    }
    typed.end();
    await talk;
    expect(heard).toBe(`${consoleGreeting}root\nls\n`);

    await ask('DELETE', serviceId);
    await ended(operationId, 'cancelled');
    await expect(client.talk(`/v1/services/${serviceId}/edit/console`, Readable.from([]), printed)).rejects.toMatchObject({
      code: 'not-found',
    });
    await hasty.close();
  });

  it('is nothing for strangers', async () => {
    const serviceId = await lab.addService();
    expect((await lab.ask('POST', `/v1/services/${serviceId}/edit`)).status).toBe(401);
    expect((await lab.ask('GET', `/v1/services/${serviceId}/edit`)).status).toBe(401);
    expect((await lab.ask('POST', `/v1/services/${serviceId}/edit/console`)).status).toBe(401);
  });
});
