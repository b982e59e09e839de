import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pollUntil } from '../../temporal/supervisor/poll-until.ts';
import type { ServiceVmBody } from '../../workflows/contract/http.ts';
import { startTestCloudlet, type TestCloudlet } from '../support/test-cloudlet.ts';

let cloudlet: TestCloudlet;
let echo: string;

beforeAll(async () => {
  cloudlet = await startTestCloudlet();
  echo = await cloudlet.addEchoService();
});
afterAll(() => cloudlet?.stop());

const soon = async <T>(ask: () => Promise<T | undefined | false>, deadlineMs = 10_000): Promise<T> => {
  const answer = await pollUntil(ask, { deadlineMs });
  if (answer === undefined || answer === false) throw new Error(`Not within ${deadlineMs} ms`);
  return answer;
};
const everythingGone = () => soon(async () => (await cloudlet.held()).length === 0);

describe('a phone', () => {
  it('starts a service by restore, uses it, stops it, and nothing is left', async () => {
    const phone = cloudlet.phone();
    const started = await phone.start(echo);
    expect(started).toMatchObject({ service_id: echo, running: true, ip_address: '127.0.0.1', fqdn: null, vnc_address: null });
    const answer = await fetch(`http://127.0.0.1:${started.port}/echo`, { method: 'POST', body: 'hello guest' });
    expect(await answer.text()).toBe('hello guest');
    const view = await cloudlet.admin.request<ServiceVmBody>('GET', `/v1/service-vms/${started._id}`);
    expect(view).toMatchObject({ state: 'ready', rung: 'restore', users: 1, memoryMib: 128 });
    expect(await phone.stop(started._id)).toEqual({});
    await everythingGone();
  });

  it('joins the instance that others use, and ends it only as its last user', async () => {
    const [first, second] = [cloudlet.phone(), cloudlet.phone()];
    const [a, b] = await Promise.all([first.start(echo), second.start(echo)]);
    expect(b._id).toBe(a._id);
    const own = await first.start(echo, false);
    expect(own._id).not.toBe(a._id);
    await first.stop(own._id);
    await first.stop(a._id);
    expect((await fetch(`http://127.0.0.1:${a.port}/health`)).status).toBe(200);
    await second.stop(a._id);
    await everythingGone();
  });
});
