import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OperationBody, ServiceEditBody, ServiceVmBody } from '../../workflows/contract/http.ts';
import { eventually } from '../support/eventually.ts';
import { startTestCloudlet, type TestCloudlet } from '../support/test-cloudlet.ts';

let cloudlet: TestCloudlet;
const path = '/v1/services/test.echo/edit';

beforeAll(async () => {
  cloudlet = await startTestCloudlet();
  await cloudlet.addEchoService({ save: false });
});
afterAll(() => cloudlet?.stop());

/** Asks for an editing VM, and waits until it is up. */
async function edited(): Promise<ServiceEditBody> {
  await cloudlet.admin.request('POST', path);
  return eventually(async () => {
    const edit = await cloudlet.admin.request<ServiceEditBody>('GET', path);
    expect(edit).toMatchObject({ state: 'ready', message: 'Ready to be edited' });
    return edit;
  }, 60_000);
}

const operation = (id: string) => cloudlet.admin.request<OperationBody>('GET', `/v1/operations/${id}`);
/** Asks until it is taken up: a worker that was killed takes a while to be back. */
const save = ({ operationId }: ServiceEditBody): Promise<void> =>
  eventually(async () => {
    if ((await operation(operationId)).state === 'running')
      await cloudlet.admin.request('POST', `${path}/save`, undefined, { prefer: 'wait=60' });
    expect(await operation(operationId)).toMatchObject({ state: 'succeeded' });
  }, 60_000);
const urlOf = ({ address, ports }: Pick<ServiceEditBody, 'address' | 'ports'>): string =>
  `http://${address}:${ports.find(({ name }) => name === 'http')!.hostPort}`;
const text = async (url: string, init?: RequestInit): Promise<string> =>
  (await fetch(url, { ...init, signal: AbortSignal.timeout(2_000) })).text();
const bootIdOf = async (url: string): Promise<string> => (JSON.parse(await text(`${url}/state`)) as { bootId: string }).bootId;

/** Puts a file onto the guest's disk. */
async function install(edit: ServiceEditBody, body: string): Promise<void> {
  await eventually(() => text(`${urlOf(edit)}/cgi/install`, { method: 'POST', body }), 60_000);
  await eventually(async () => expect(await text(`${urlOf(edit)}/installed`)).toBe(body));
}

async function startedVm(): Promise<ServiceVmBody> {
  const { _id } = await cloudlet.phone().start('test.echo');
  return cloudlet.admin.request<ServiceVmBody>('GET', `/v1/service-vms/${_id}`);
}

describe('an editing VM', () => {
  it('survives our restarts, is seen by VNC, and is saved with what runs in it; phones then get just that', async () => {
    const edit = await edited();
    await install(edit, 'by hand');
    const socket = connect(edit.vnc!.port, edit.vnc!.host);
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(greeting.toString('latin1')).toMatch(/^RFB 003\./);
    await expect(cloudlet.admin.request('POST', path)).rejects.toMatchObject({
      code: 'operation-in-progress',
      facts: { operationId: edit.operationId },
    });

    cloudlet.kill('worker');
    await cloudlet.untilReady();
    const bootId = await bootIdOf(urlOf(edit));
    await save(edit);
    expect(await operation(edit.operationId)).toMatchObject({ result: { version: 2 } });

    const started = await startedVm();
    expect(started).toMatchObject({ rung: 'restore' });
    expect(await bootIdOf(urlOf(started))).toBe(bootId);
    expect(await text(`${urlOf(started)}/installed`)).toBe('by hand');
    await cloudlet.stopAll();
  });

  it('is saved by its disk alone where it was shut down', async () => {
    const edit = await edited();
    await install(edit, 'shut down');
    await text(`${urlOf(edit)}/cgi/poweroff`);
    await eventually(async () => expect(await cloudlet.domains()).toEqual([]), 30_000);
    await save(edit);
    const started = await startedVm();
    expect(started).toMatchObject({ rung: 'cold-boot' });
    expect(await text(`${urlOf(started)}/installed`)).toBe('shut down');
    await cloudlet.stopAll();
  });

  it('leaves nothing when it is discarded', async () => {
    const edit = await edited();
    await cloudlet.admin.request('DELETE', path);
    await eventually(async () => expect(await operation(edit.operationId)).toMatchObject({ state: 'cancelled' }), 30_000);
    await eventually(async () => expect(await cloudlet.held()).toEqual([]));
    expect(await cloudlet.admin.request('GET', '/v1/services/test.echo')).toMatchObject({ imageVersion: 3 });
  });
});
