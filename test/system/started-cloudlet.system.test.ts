/** `cloudlet start`, as people run it: what survives its end, and what it makes of bad plugins and moving addresses. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTool } from '../../activities/run-tool.ts';
import type { MergedPluginReport } from '../../plugins/runtime/plugin-report.ts';
import { connectTemporal } from '../../temporal/client/connect.ts';
import { serviceVmWorkflowId } from '../../workflows/contract/ids.ts';
import type { ServiceVmBody } from '../../workflows/contract/http.ts';
import { addEchoService } from '../support/echo-service.ts';
import { eventually } from '../support/eventually.ts';
import { Phone } from '../support/phone.ts';
import { StartedCloudlet } from '../support/started-cloudlet.ts';

const adapter = `ct${process.pid}`;
/** Of the networks set aside for documentation (RFC 5737). */
const addresses = ['198.51.100.1', '198.51.100.2'] as const;
const misbehaving = ['throws-in-register', 'throws-in-start', 'hangs-in-start', 'throws-in-handler'];

let cloudlet: StartedCloudlet;
let echo: string;

beforeAll(async () => {
  await runTool('ip', ['link', 'add', adapter, 'type', 'veth', 'peer', 'name', `${adapter}p`]);
  for (const end of [adapter, `${adapter}p`]) await runTool('ip', ['link', 'set', end, 'up']);
  await runTool('ip', ['address', 'add', `${addresses[0]}/24`, 'dev', adapter]);
  const plugins = misbehaving.map((name) => ({ name, module: join(import.meta.dirname, `../support/misbehaving-plugins/${name}.ts`) }));
  cloudlet = await StartedCloudlet.create({
    CLOUDLET_NETWORK_ADAPTER: adapter,
    CLOUDLET_PLUGINS: JSON.stringify([{ name: 'security-open', required: true }, ...plugins]),
  });
  await cloudlet.start();
  echo = await addEchoService(cloudlet.admin, cloudlet.config.importDir);
});
afterAll(async () => {
  await cloudlet?.remove();
  await runTool('ip', ['link', 'delete', adapter]);
});

const phone = () => new Phone(cloudlet.url, 'a1b2c3d4e5f60718');
const view = (id: string) => cloudlet.admin.request<ServiceVmBody>('GET', `/v1/service-vms/${id}`);
const health = async (port: number) => (await fetch(`http://127.0.0.1:${port}/health`)).status;

describe('a started cloudlet', () => {
  it('serves on with plugins that fail, and says of each what is wrong: by /v1/plugins, in the log, in Temporal', async () => {
    const { _id } = await phone().start(echo);
    const reports = await eventually(async () => {
      const { plugins } = await cloudlet.admin.request<{ plugins: MergedPluginReport[] }>('GET', '/v1/plugins');
      const found = Object.fromEntries(plugins.map(({ id, state, detail }) => [id, { state, detail }]));
      expect(found['throws-in-handler']?.state).toBe('degraded');
      return found;
    });
    expect(reports).toMatchObject({
      'security-open': { state: 'running' },
      'throws-in-register': { state: 'failed', detail: expect.stringContaining('nothing to register') },
      'throws-in-start': { state: 'failed', detail: expect.stringContaining('no such device') },
      'hangs-in-start': { state: 'failed', detail: expect.stringContaining('10 s') },
      'throws-in-handler': { state: 'degraded', detail: expect.stringContaining('the lamp did not light') },
    });
    const log = await readFile(join(cloudlet.config.dataDir, 'logs', 'worker.log'), 'utf8');
    for (const name of misbehaving) expect(log).toContain(`"plugin":"${name}"`);

    const temporal = connectTemporal({ address: await cloudlet.temporalAddress(), namespace: cloudlet.config.temporalNamespace });
    const { events } = await temporal.workflow.getHandle(serviceVmWorkflowId(_id)).fetchHistory();
    await temporal.connection.close();
    expect(events?.map(({ activityTaskFailedEventAttributes: failed }) => failed?.failure?.message)).toContain('the lamp did not light');
    await phone().stop(_id);
  });

  it('tells clients the address that its network adapter has now', async () => {
    const { _id, ip_address: told } = await phone().start(echo);
    expect(told).toBe(addresses[0]);
    await runTool('ip', ['address', 'delete', `${addresses[0]}/24`, 'dev', adapter]);
    await runTool('ip', ['address', 'add', `${addresses[1]}/24`, 'dev', adapter]);
    await eventually(async () => expect((await phone().start(echo)).ip_address).toBe(addresses[1]), 15_000);
    expect((await view(_id)).address).toBe(addresses[1]);
    await phone().stop(_id);
  });

  it('leaves its Service VMs running when it is interrupted, and takes them over when it starts again', async () => {
    const { _id, port } = await phone().start(echo);
    await cloudlet.interrupt();
    expect(await health(port)).toBe(200);
    await cloudlet.start();
    expect(await view(_id)).toMatchObject({ state: 'ready', restarts: 0 });
    expect((await phone().start(echo))._id).toBe(_id);
    expect(await health(port)).toBe(200);
    expect(await phone().stop(_id)).toEqual({});
    await eventually(() => expect(health(port)).rejects.toThrow('fetch failed'));
  });
});
