import { expect, it } from 'vitest';
import { GuestAgent } from './guest-agent.ts';
import type { AgentAnswer } from './hypervisor.ts';

const silent = { askAgent: () => new Promise<AgentAnswer>(() => undefined) };

it('is not waited for any more once nobody wants its answer', async () => {
  const cancelled = new AbortController();
  const agent = new GuestAgent(silent, 'a-domain', cancelled.signal);
  const asked = [agent.flush(), agent.read('/a/file'), agent.untilThere(60_000)];
  cancelled.abort(new Error('Cancelled'));
  const told = await Promise.allSettled([...asked, agent.flush()]);
  expect(told).toMatchObject(Array.from({ length: 4 }, () => ({ status: 'rejected', reason: { message: 'Cancelled' } })));
});
