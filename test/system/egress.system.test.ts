import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { filterTable } from '../../activities/network/egress.ts';
import { runTool } from '../../activities/run-tool.ts';
import { createOutsideWorld, type OutsideWorld } from '../support/outside-world.ts';
import type { PhoneServiceVm } from '../support/phone.ts';
import { startTestCloudlet, type TestCloudlet } from '../support/test-cloudlet.ts';

let cloudlet: TestCloudlet;
let outside: OutsideWorld;
/** What must never be reached: something that listens on this host, on all of its addresses. */
const onHost = createServer((socket) => socket.end('host'));

beforeAll(async () => {
  onHost.listen(0, '0.0.0.0');
  await once(onHost, 'listening');
  outside = await createOutsideWorld();
  cloudlet = await startTestCloudlet();
  await cloudlet.addEchoService({ serviceId: 'internet', egress: { mode: 'filtered', internet: true, allow: [] } });
  await cloudlet.addEchoService({ serviceId: 'closed', ports: [{ name: 'http', protocol: 'tcp', guestPort: 8080 }] });
  await cloudlet.addEchoService({
    serviceId: 'listed',
    save: false,
    egress: { mode: 'filtered', internet: false, allow: [outside.privateNetwork] },
  });
});
afterAll(async () => {
  await cloudlet?.stop();
  await outside?.remove();
  onHost.close();
});

async function reached({ port }: PhoneServiceVm): Promise<string[]> {
  const hostPort = (onHost.address() as { port: number }).port;
  const targets = {
    'the public address': `${outside.publicAddress}:${outside.port}`,
    'the private address': `${outside.privateAddress}:${outside.port}`,
    "the host's loopback": `10.0.2.2:${hostPort}`,
    "the host's own address": `${outside.hostAddress}:${hostPort}`,
    'link-local': `169.254.169.254:80`,
  };
  const answers = await Promise.all(
    Object.entries(targets).map(async ([name, target]) => ({
      name,
      answer: (await (await fetch(`http://127.0.0.1:${port}/cgi/reach?${target}`)).text()).trim(),
    })),
  );
  return answers.filter(({ answer }) => answer === 'reached').map(({ name }) => name);
}

it('has devices of other networks reach a guest that reaches nobody', async () => {
  const { port } = await cloudlet.phone().start('closed');
  expect(await outside.get(`http://${outside.hostAddress}:${port}/health`)).toMatch(/\S/);
  expect(await reached({ port } as PhoneServiceVm)).toEqual([]);
  await cloudlet.stopAll();
});

it('lets a guest reach what its service may, by restore and by cold boot, and the host never', async () => {
  const phone = cloudlet.phone();
  const internet = await phone.start('internet');
  const listed = await phone.start('listed');
  expect(await reached(internet)).toEqual(['the public address']);
  expect(await reached(listed)).toEqual(['the private address']);

  const processes = await runTool('ps', ['-eo', 'uid,args']);
  const uidOf = (id: string) =>
    Number(
      processes
        .split('\n')
        .find((line) => line.includes(`guest=${cloudlet.parts.config.domainPrefix}${id}`))
        ?.trim()
        .split(' ')[0],
    );
  expect(uidOf(internet._id)).toBe(2_000_000_000 + internet.port);

  // Somebody flushes the host's rules: they are back before long.
  const table = filterTable(cloudlet.parts.config.domainPrefix);
  await runTool('nft', ['flush', 'table', 'inet', table]);
  await expect.poll(() => reached(internet), { timeout: 60_000 }).toEqual(['the public address']);

  await cloudlet.stopAll();
  expect(await runTool('nft', ['list', 'map', 'inet', table, 'guests'])).not.toContain('jump');
});
