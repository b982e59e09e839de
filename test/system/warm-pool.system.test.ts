import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LibvirtHypervisor } from '../../activities/hypervisor/libvirt-hypervisor.ts';
import type { ServiceVmBody } from '../../workflows/contract/http.ts';
import { eventually } from '../support/eventually.ts';
import { startTestCloudlet, type TestCloudlet } from '../support/test-cloudlet.ts';

let cloudlet: TestCloudlet;

beforeAll(async () => {
  cloudlet = await startTestCloudlet();
  await cloudlet.addEchoService({ serviceId: 'pooled', poolSize: 1 });
});
afterAll(() => cloudlet?.stop());

const view = (id: string) => cloudlet.admin.request<ServiceVmBody>('GET', `/v1/service-vms/${id}`);

const warm = () =>
  eventually(async () => {
    const { serviceVms } = await cloudlet.admin.request<{ serviceVms: ServiceVmBody[] }>('GET', '/v1/service-vms?state=warm');
    if (serviceVms.length !== 1) throw new Error(`${serviceVms.length} instances are warm`);
    return serviceVms[0]!;
  }, 30_000);

/** Neither the clock nor the machine id is that of the saved state, or of the moment at which it was paused. */
async function isItself({ _id, port }: { _id: string; port: number }): Promise<void> {
  const state = (await (await fetch(`http://127.0.0.1:${port}/state`)).json()) as { machineId: string; time: number };
  expect(state.machineId).toBe(_id.replaceAll('-', ''));
  expect(Math.abs(state.time - Date.now() / 1000)).toBeLessThan(1.8);
}

it('keeps a guest paused, gives it to the first who asks, and replaces it though the worker dies', async () => {
  const waiting = await warm();
  expect(await cloudlet.virsh('domstate', (await cloudlet.domains())[0]!)).toContain('paused');
  const started = await cloudlet.phone().start('pooled', false);
  expect(started._id).toBe(waiting.id);
  expect(await view(started._id)).toMatchObject({ purpose: 'serve', rung: 'claim', state: 'ready', users: 1 });
  await isItself(started);

  // Nobody else waits warm at this moment, so the next user gets one that is restored.
  await isItself(await cloudlet.phone().start('pooled', false));
  cloudlet.kill('worker');
  const next = await warm();
  expect(next.id).not.toBe(started._id);
  // One that died while it waited is not given to anybody.
  await cloudlet.virsh(
    'destroy',
    (await cloudlet.domains()).find((name) => name.endsWith(next.id))!,
  );
  await eventually(async () => expect(await view(next.id)).toMatchObject({ state: 'stopped', endReason: 'lost' }));
  expect((await warm()).id).not.toBe(next.id);
});

it('is resumed again by whoever tries again, and never in place of another boot', async () => {
  const { _id } = await cloudlet.phone().start('pooled', false);
  const name = (await cloudlet.domains()).find((domain) => domain.endsWith(_id))!;
  const bootId = (await cloudlet.virsh('domuuid', name)).trim();
  const hypervisor = new LibvirtHypervisor({ uri: cloudlet.parts.facts.libvirtUri!, accelerator: 'tcg' });
  try {
    expect(await hypervisor.resumeDomain(name, bootId)).toBe(true);
    expect(await hypervisor.resumeDomain(name, randomUUID())).toBe(false);
    expect(await hypervisor.resumeDomain(`${name}x`, bootId)).toBe(false);
  } finally {
    await hypervisor.close();
  }
});

it('serves on when its clock leaps to long after it was saved', async () => {
  const { _id } = await cloudlet.phone().start('pooled', false);
  const domain = (await cloudlet.domains()).find((name) => name.endsWith(_id))!;
  const tomorrow = (Date.now() + 24 * 60 * 60 * 1000) * 1e6;
  await cloudlet.virsh('qemu-agent-command', domain, JSON.stringify({ execute: 'guest-set-time', arguments: { time: tomorrow } }));
  const console = await eventually(async () => {
    const log = await cloudlet.admin.text(`/v1/service-vms/${_id}/log`);
    expect(log).toContain('clock jumped 86');
    return log;
  });
  expect(console).not.toContain('restart');
});
