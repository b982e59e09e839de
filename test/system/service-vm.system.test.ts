import { once } from 'node:events';
import { connect } from 'node:net';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostAddress } from '../../activities/network/host-address.ts';
import type { ServiceVmBody } from '../../workflows/contract/http.ts';
import { eventually } from '../support/eventually.ts';
import type { PhoneServiceVm } from '../support/phone.ts';
import { startTestCloudlet, type TestCloudlet } from '../support/test-cloudlet.ts';

let cloudlet: TestCloudlet;
let echo: string;
let tcpOnly: string;

beforeAll(async () => {
  cloudlet = await startTestCloudlet();
  echo = await cloudlet.addEchoService();
  tcpOnly = await cloudlet.addEchoService({
    serviceId: 'test.tcp',
    save: false,
    ports: [{ name: 'http', protocol: 'tcp', guestPort: 8080 }],
  });
});
afterAll(() => cloudlet?.stop());

const everythingGone = () => eventually(async () => expect(await cloudlet.held()).toEqual([]));
const view = (id: string) => cloudlet.admin.request<ServiceVmBody>('GET', `/v1/service-vms/${id}`);
const ask = async (port: number, path: string, init?: RequestInit) => (await fetch(`http://127.0.0.1:${port}${path}`, init)).text();
const portOf = async (id: string, name: string) => (await view(id)).ports.find((port) => port.name === name)!.hostPort;
const domainOf = ({ _id }: PhoneServiceVm) => cloudlet.parts.config.domainPrefix + _id;

describe('a phone', () => {
  it('starts a service by restore, uses it over HTTP, TCP and UDP, stops it, and nothing is left', async () => {
    const phone = cloudlet.phone();
    const started = await phone.start(echo);
    expect(started).toMatchObject({ service_id: echo, running: true, ip_address: '127.0.0.1', fqdn: null, vnc_address: null });
    expect(await ask(started.port, '/echo', { method: 'POST', body: 'hello guest' })).toBe('hello guest');
    expect(await tcpEcho(await portOf(started._id, 'echo'), 'over tcp')).toBe('over tcp');
    expect(await udpEcho(await portOf(started._id, 'echo-udp'), 'over udp')).toBe('over udp');
    expect(await view(started._id)).toMatchObject({ state: 'ready', rung: 'restore', users: 1, memoryMib: 128, vcpus: 1 });
    expect(await phone.stop(started._id)).toEqual({});
    await everythingGone();
  });

  it('shares the instance that others use, and ends it only as its last user', async () => {
    const [first, second] = [cloudlet.phone(), cloudlet.phone()];
    const [a, b] = await Promise.all([first.start(echo), second.start(echo)]);
    expect(b._id).toBe(a._id);
    const own = await first.start(echo, false);
    expect(own._id).not.toBe(a._id);
    expect(own.port).not.toBe(a.port);
    await first.stop(own._id);
    await first.stop(a._id);
    expect(await ask(a.port, '/health')).toContain('ok');
    await second.stop(a._id);
    await everythingGone();
  });

  it('cannot end what it does not use', async () => {
    const started = await cloudlet.phone().start(echo);
    const answer = await cloudlet.phone().get(`/servicevm/stop?instanceId=${started._id}`);
    expect(answer.status).toBe(401);
    expect(answer.body).toMatch(/#.+/);
    expect(await ask(started.port, '/health')).toContain('ok');
    await stopAsAdmin(started._id);
  });
});

describe('a guest', () => {
  // One network is closed by QEMU, the other by the host's filter, since closed ones answer no datagrams.
  it.each(['TCP alone', 'UDP, too'])('with %s reaches neither the host, nor its loopback, nor anything beyond', async (ports) => {
    const service = ports === 'TCP alone' ? tcpOnly : echo;
    const server = createServer((_, response) => response.end('secret')).listen(0, '0.0.0.0');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const started = await cloudlet.phone().start(service);
    try {
      // 10.0.2.2 is the host's loopback on an open user-mode network: there the manager would listen.
      const targets = [`10.0.2.2:${port}`, `127.0.0.1:${port}`, `${hostAddress()}:${port}`, '10.0.2.3:53', '198.51.100.7:80'];
      const answers = await Promise.all(targets.map(async (target) => [target, (await ask(started.port, `/cgi/reach?${target}`)).trim()]));
      expect(answers).toEqual(targets.map((target) => [target, 'unreachable']));
    } finally {
      server.close();
      await stopAsAdmin(started._id);
    }
  });

  it('that crashes is noticed within two seconds, and comes back by the restart policy under the same id and ports', async () => {
    const phone = cloudlet.phone();
    const started = await phone.start(echo);
    const crashedAt = performance.now();
    await ask(started.port, '/cgi/crash');
    await eventually(async () => expect((await view(started._id)).state).not.toBe('ready'), 3_000);
    expect(performance.now() - crashedAt).toBeLessThan(2_500);
    await eventually(async () => expect(await view(started._id)).toMatchObject({ state: 'ready', restarts: 1, rung: 'restore' }), 20_000);
    const again = await phone.start(echo);
    expect(again).toMatchObject({ _id: started._id, port: started.port });
    expect(await ask(again.port, '/health')).toContain('ok');
    await stopAsAdmin(started._id);
  });

  it('that somebody destroys behind our back comes back, too', async () => {
    const started = await cloudlet.phone().start(echo);
    await cloudlet.virsh('destroy', domainOf(started));
    await eventually(async () => expect(await view(started._id)).toMatchObject({ state: 'ready', restarts: 1 }), 20_000);
    await stopAsAdmin(started._id);
  });

  it('keeps a serial log that outlives it', async () => {
    const started = await cloudlet.phone().start(echo, false);
    await stopAsAdmin(started._id);
    const second = await cloudlet.phone().start(echo, false);
    await ask(second.port, '/cgi/crash');
    await eventually(async () =>
      expect(await cloudlet.admin.text(`/v1/service-vms/${second._id}/log`)).toContain('sysrq: Trigger a crash'),
    );
    await stopAsAdmin(second._id);
    expect(await cloudlet.admin.text(`/v1/service-vms/${second._id}/log`)).toContain('sysrq: Trigger a crash');
  });
});

async function stopAsAdmin(id: string): Promise<void> {
  await cloudlet.admin.request('POST', `/v1/service-vms/${id}/stop`, undefined, { prefer: 'wait=20' });
  await everythingGone();
}

function tcpEcho(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.setTimeout(5_000, () => socket.destroy(new Error('No echo over TCP')));
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString());
    });
    socket.once('error', reject);
  });
}

async function udpEcho(port: number, text: string): Promise<string> {
  const socket = createSocket('udp4');
  const answers: string[] = [];
  socket.on('message', (data) => answers.push(data.toString()));
  try {
    return await eventually(() => {
      socket.send(text, port, '127.0.0.1');
      expect(answers).not.toEqual([]);
      return answers[0]!;
    });
  } finally {
    socket.close();
  }
}
