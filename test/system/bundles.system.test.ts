import { createWriteStream } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pycloudJson } from '../../activities/bundles/test-support/test-bundle.ts';
import { runTool } from '../../activities/run-tool.ts';
import type { OperationBody, ServiceVmBody } from '../../workflows/contract/http.ts';
import { eventually } from '../support/eventually.ts';
import { startTestCloudlet, type TestCloudlet } from '../support/test-cloudlet.ts';

let cloudlet: TestCloudlet;
beforeAll(async () => {
  cloudlet = await startTestCloudlet();
});
afterAll(() => cloudlet?.stop());

const operation = (id: string) => cloudlet.admin.request<OperationBody>('GET', `/v1/operations/${id}`);

async function begin(path: string, body: object): Promise<string> {
  const { operationId } = await cloudlet.admin.request<{ operationId: string }>('POST', path, body);
  return operationId;
}

const ended = (id: string) =>
  eventually(async () => {
    const found = await operation(id);
    if (found.state === 'running') throw new Error('It still runs');
    return found;
  }, 60_000);

/** Waits until some bytes of it have been worked on. */
const underWay = (id: string) => eventually(async () => expect((await operation(id)).progress?.bytesDone ?? 0).toBeGreaterThan(0), 30_000);

describe('a bundle', () => {
  it('carries a service with its saved state to where it starts from that', async () => {
    const { importDir } = cloudlet.parts.config;
    const serviceId = await cloudlet.addEchoService({ serviceId: 'carried' });
    const { result } = await ended(await begin('/v1/bundles', { serviceId }));
    const path = `/v1/bundles/${String(result!['bundleId'])}`;
    await pipeline(Readable.from(cloudlet.admin.download(`${path}/file`, 0)), createWriteStream(join(importDir, 'carried.csvm')));
    await cloudlet.admin.request('DELETE', path);
    await cloudlet.admin.request('DELETE', `/v1/services/${serviceId}?purge=true`);

    const source = { kind: 'file', file: 'carried.csvm' };
    expect(await ended(await begin('/v1/bundles/imports', { source }))).toMatchObject({ result: { restores: true, notes: [] } });
    const started = await cloudlet.phone().start(serviceId);
    expect(await cloudlet.admin.request<ServiceVmBody>('GET', `/v1/service-vms/${started._id}`)).toMatchObject({ rung: 'restore' });
    expect((await fetch(`http://127.0.0.1:${started.port}/health`)).status).toBe(200);
    await cloudlet.stopAll();
  });
});

describe('an import that is under way', () => {
  const file = 'large.csvm';
  beforeAll(async () => {
    const folder = join(cloudlet.parts.config.importDir, 'making');
    await mkdir(folder, { recursive: true });
    await runTool('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', 'preallocation=full', join(folder, 'a.qcow2'), '600M']);
    await writeFile(join(folder, 'service.json'), pycloudJson({ service_id: 'large', vm_image: { disk_image: 'a.qcow2' } }));
    await runTool('tar', ['-C', folder, '-cf', join(folder, '..', file), 'a.qcow2', 'service.json']);
    await rm(folder, { recursive: true });
  });
  const importLarge = () => begin('/v1/bundles/imports', { source: { kind: 'file', file } });

  it('ends within seconds when it is cancelled, and leaves nothing', async () => {
    const id = await importLarge();
    await underWay(id);
    await cloudlet.admin.request('POST', `/v1/operations/${id}/cancel`);
    await eventually(async () => expect(await operation(id)).toMatchObject({ state: 'cancelled' }), 5_000);
    expect(await cloudlet.held()).toEqual([]);
  });

  it('goes on by itself when the worker is killed', async () => {
    const id = await importLarge();
    await underWay(id);
    cloudlet.kill('worker');
    expect(await ended(id)).toMatchObject({ state: 'succeeded', result: { serviceId: 'large', version: 1 } });
    await eventually(async () => expect(await cloudlet.held()).toEqual([]), 15_000);
  });
});
