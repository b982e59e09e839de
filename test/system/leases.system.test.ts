import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ServiceVmBody } from '../../workflows/contract/http.ts';
import { eventually } from '../support/eventually.ts';
import { startTestCloudlet, type TestCloudlet } from '../support/test-cloudlet.ts';

let cloudlet: TestCloudlet;

beforeAll(async () => {
  cloudlet = await startTestCloudlet();
  await cloudlet.addEchoService({ serviceId: 'short-lease', save: false, leaseSeconds: 12, sharing: 'own' });
  await cloudlet.addEchoService({ serviceId: 'short-idle', save: false, leaseSeconds: 600, idleSeconds: 12 });
});
afterAll(() => cloudlet?.stop());

const stateOf = async (id: string) => (await cloudlet.admin.request<ServiceVmBody>('GET', `/v1/service-vms/${id}`)).state;

// One test, since all of it is waiting: the cases run side by side.
it('ends instances that nobody uses any more, and none that somebody does', async () => {
  const polling = cloudlet.phone();
  const talking = cloudlet.phone();
  const [silent, polled, used, idle] = await Promise.all([
    cloudlet.phone().start('short-lease'),
    polling.start('short-lease'),
    talking.start('short-lease'),
    cloudlet.phone().start('short-idle'),
  ]);
  const alive = new AbortController();
  const keepGoing = async (everyMs: number, use: () => Promise<unknown>) => {
    while (!alive.signal.aborted) {
      await use().catch(() => undefined);
      await sleep(everyMs);
    }
  };
  // A stock phone asks for messages every ten seconds; others just talk to their service.
  const uses = Promise.all([
    keepGoing(5_000, () => polling.get('/system/get_messages?serviceId=short-lease')),
    keepGoing(2_000, () => fetch(`http://127.0.0.1:${used.port}/health`)),
  ]);
  try {
    await eventually(async () => expect(await stateOf(silent._id)).toBe('stopped'), 40_000);
    await eventually(async () => expect(await stateOf(idle._id)).toBe('stopped'), 40_000);
    await sleep(3_000);
    expect([await stateOf(polled._id), await stateOf(used._id)]).toEqual(['ready', 'ready']);
  } finally {
    alive.abort();
    await uses;
  }
  await cloudlet.stopAll();
});
