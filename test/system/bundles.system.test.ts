import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTool } from '../../activities/run-tool.ts';
import { checkoutDir } from '../../temporal/config/load-config.ts';
import type { ServiceVmBody } from '../../workflows/contract/http.ts';
import { echoDisk } from '../support/echo-disk.ts';
import { startTestCloudlet, type TestCloudlet } from '../support/test-cloudlet.ts';

const apk = join(checkoutDir, 'node_modules/io.appium.settings/apks/settings_apk-debug.apk');

let cloudlet: TestCloudlet;
beforeAll(async () => {
  cloudlet = await startTestCloudlet();
});
afterAll(() => cloudlet?.stop());

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
