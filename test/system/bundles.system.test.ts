import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pycloudJson } from '../../activities/bundles/test-support/test-bundle.ts';
import { runTool } from '../../activities/run-tool.ts';
import { checkoutDir } from '../../temporal/config/load-config.ts';
import type { OperationBody, ServiceVmBody } from '../../workflows/contract/http.ts';
import { echoDisk } from '../support/echo-disk.ts';
import { eventually } from '../support/eventually.ts';
import { startTestCloudlet, type TestCloudlet } from '../support/test-cloudlet.ts';

const apk = join(checkoutDir, 'node_modules/io.appium.settings/apks/settings_apk-debug.apk');

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

/** The shell commands of a section of the README, for the cloudlet of this test. */
async function commandsOf(section: string): Promise<string> {
  const readme = await readFile(join(checkoutDir, 'README.md'), 'utf8');
  const text = readme.split(/^### /m).find((each) => each.startsWith(`${section}\n`))!;
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands]) => commands);
  return blocks.join('\n').replace('http://127.0.0.1:9999', cloudlet.url).replace('.cloudlet', cloudlet.parts.dataDir.root);
}

describe('with curl alone, as the README says', () => {
  it('a disk becomes a service, is edited, saved, started, exported, deleted, imported and starts from its saved state; an app is fetched', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cloudlet-readme-'));
    await copyFile(await echoDisk(), join(folder, 'my.qcow2'));
    await copyFile(apk, join(folder, 'my.apk'));
    await writeFile(join(folder, 'commands'), await commandsOf('With `curl` alone'));
    // What curl writes to /dev/stderr cannot go to a socket, which is what Node would give it.
    const said = await runTool('bash', ['-c', 'cd "$0"; exec bash -eu commands 2>errors', folder], { timeoutMs: 120_000 }).catch(
      async (error: Error) => {
        throw new Error(`${error.message}\n${await readFile(join(folder, 'errors'), 'utf8')}`);
      },
    );
    const states = [...said.matchAll(/"state":"(\w+)","subject"/g)].map(([, state]) => state);
    expect(states).toEqual(['succeeded', 'succeeded', 'succeeded', 'succeeded', 'succeeded', 'succeeded']);
    expect(await readFile(join(folder, 'fetched.apk'))).toEqual(await readFile(apk));
    await rm(folder, { recursive: true });

    const { serviceVms } = await cloudlet.admin.request<{ serviceVms: ServiceVmBody[] }>('GET', '/v1/service-vms?serviceId=my');
    expect(serviceVms).toMatchObject([{ rung: 'restore', state: 'ready' }]);
    expect((await fetch(`http://127.0.0.1:${serviceVms[0]!.ports[0]!.hostPort}/health`)).status).toBe(200);
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
