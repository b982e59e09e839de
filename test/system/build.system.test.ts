import { randomUUID } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewService, OperationBody, ServiceEditBody, ServiceVmBody } from '../../workflows/contract/http.ts';
import { baseDisk } from '../support/base-disk.ts';
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
async function discard({ operationId }: ServiceEditBody): Promise<void> {
  await cloudlet.admin.request('DELETE', path);
  await eventually(async () => expect(await operation(operationId)).toMatchObject({ state: 'cancelled' }), 30_000);
}

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

async function startedVm(serviceId: string): Promise<ServiceVmBody> {
  const { _id } = await cloudlet.phone().start(serviceId);
  return cloudlet.admin.request<ServiceVmBody>('GET', `/v1/service-vms/${_id}`);
}

/** The guest's terminal echoes what is typed at its console, whoever listens there. */
async function typeAndHear(words: string): Promise<void> {
  const [typed, printed] = [new PassThrough(), new PassThrough()];
  let heard = '';
  printed.on('data', (bytes: Buffer) => (heard += bytes.toString()));
  const talk = cloudlet.admin.talk(`${path}/console`, typed, printed);
  typed.write(words);
  await eventually(async () => expect(heard).toContain(words), 10_000);
  typed.end();
  await talk;
}

describe('an editing VM', () => {
  it('is seen by VNC, typed at by its serial console, is one at a time, and is saved with what runs in it; phones then get just that', async () => {
    const edit = await edited();
    await install(edit, 'by hand');
    const socket = connect(edit.vnc!.port, edit.vnc!.host);
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(greeting.toString('latin1')).toMatch(/^RFB 003\./);
    await typeAndHear('is somebody there?');
    await expect(cloudlet.admin.request('POST', path)).rejects.toMatchObject({
      code: 'operation-in-progress',
      facts: { operationId: edit.operationId },
    });
    const bootId = await bootIdOf(urlOf(edit));
    await save(edit);
    expect(await operation(edit.operationId)).toMatchObject({ result: { version: 2 } });
    const started = await startedVm('test.echo');
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
    const started = await startedVm('test.echo');
    expect(started).toMatchObject({ rung: 'cold-boot' });
    expect(await text(`${urlOf(started)}/installed`)).toBe('shut down');
    await cloudlet.stopAll();
  });

  it('is not saved while its service does not answer, and says what to do', async () => {
    const mute = '/v1/services/mute/edit';
    const readiness = { kind: 'http', guestPort: 8080, path: '/nothing', timeoutSeconds: 1 } as const;
    await cloudlet.addEchoService({ serviceId: 'mute', readiness, save: false });
    await cloudlet.admin.request('POST', mute, undefined, { prefer: 'wait=30' });
    await expect(cloudlet.admin.request('POST', `${mute}/save`, undefined, { prefer: 'wait=30' })).rejects.toMatchObject({
      code: 'guest-unresponsive',
      message: expect.stringMatching(/GET \/nothing on its port 8080 .*shut the guest down to keep its disk alone/),
    });
    const unsaved = await cloudlet.admin.request<ServiceEditBody>('GET', mute);
    expect(unsaved).toMatchObject({ state: 'ready', message: expect.stringContaining('It was not saved, and can be edited on.') });
    await cloudlet.admin.request('DELETE', mute);
    await eventually(async () => expect(await operation(unsaved.operationId)).toMatchObject({ state: 'cancelled' }), 30_000);
  });
});

/** Begins a build by recipe, on the disk of the base with the guest agent in it. */
async function beginRecipe(serviceId: string, commands: readonly string[]): Promise<string> {
  const file = `${randomUUID()}.qcow2`;
  await copyFile(await baseDisk(), join(cloudlet.parts.config.importDir, file));
  const body: NewService = {
    serviceId,
    ports: [{ name: 'http', protocol: 'tcp', guestPort: 8080 }],
    readiness: { kind: 'http', guestPort: 8080, path: '/', timeoutSeconds: 60 },
    memory: { minimumMib: 128, idealMib: 128 },
    source: {
      kind: 'recipe',
      base: { kind: 'disk', file, format: 'qcow2' },
      files: [
        { to: '/srv/www/index.html', content: 'made by recipe' },
        { to: '/etc/cloudlet/service', content: '#!/bin/sh\nexec httpd -f -p 8080 -h /srv/www\n', executable: true },
      ],
      commands: [...commands],
    },
    save: true,
  };
  const { operationId } = await cloudlet.admin.request<{ operationId: string }>('POST', '/v1/services', body);
  return operationId;
}

const settled = (id: string): Promise<OperationBody> =>
  eventually(async () => {
    const found = await operation(id);
    expect(found.state).not.toBe('running');
    return found;
  }, 90_000);

describe('a build by recipe', () => {
  it('and an editing VM survive a worker that is killed; the log has all that was written', async () => {
    const id = await beginRecipe('test.recipe', [
      'echo one; sleep 3; echo two >&2',
      'grep -q recipe /srv/www/index.html\necho checked >/srv/www/checked',
    ]);
    const log = () => cloudlet.admin.text(`/v1/operations/${id}/log`);
    const edit = await edited();
    await eventually(async () => expect(await log()).toContain('one'), 60_000);
    cloudlet.kill('worker');
    expect(await settled(id)).toMatchObject({ state: 'succeeded', problem: null });
    expect(await log()).toBe('==> [1/2] echo one; sleep 3; echo two >&2\none\ntwo\n==> [2/2] grep -q recipe /srv/www/index.html\n');
    expect(await cloudlet.admin.request('GET', path)).toMatchObject({ operationId: edit.operationId, state: 'ready' });
    await bootIdOf(urlOf(edit));

    const started = await startedVm('test.recipe');
    expect(started).toMatchObject({ rung: 'restore' });
    expect(await text(urlOf(started))).toBe('made by recipe');
    expect(await text(`${urlOf(started)}/checked`)).toBe('checked\n');
    await discard(edit);
    await cloudlet.stopAll();
  });

  it('fails with the command that failed, keeps its log, and leaves nothing else', async () => {
    const id = await beginRecipe('test.failing', ['echo fine', 'echo no such luck >&2; false', 'echo never']);
    expect(await settled(id)).toMatchObject({
      state: 'failed',
      problem: { code: 'recipe-failed', detail: expect.stringMatching(/^Command 2 of 3 .* ended with status 1: no such luck/) },
    });
    const log = await cloudlet.admin.text(`/v1/operations/${id}/log`);
    expect(log).toContain('no such luck');
    expect(log).not.toContain('never');
    await eventually(async () => expect(await cloudlet.held()).toEqual([]));
    await expect(cloudlet.admin.request('GET', '/v1/services/test.failing')).rejects.toMatchObject({ code: 'not-found' });
  });
});
