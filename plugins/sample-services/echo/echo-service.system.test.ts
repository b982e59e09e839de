import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAssembly, type Assembly } from '../../../test/support/assembly.ts';
import { bootBareGuest, type BareGuest } from '../test/bare-guest.ts';
import { assembleEchoDisk } from './echo-disk.ts';
import { echoService } from './echo-service.ts';

const probe = { path: '/srv/cgi/whoami', executable: true, content: '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n"\nid -un\n' };

describe('the echo guest', () => {
  let assembly: Assembly;
  let diskPath: string;

  const boot = async (closed: boolean): Promise<BareGuest> => {
    const directory = path.join(assembly.context.workDirectory, closed ? 'closed' : 'open');
    await mkdir(directory);
    return bootBareGuest({ diskPath, memoryMib: echoService.spec.memory.minimumMib, directory, closed });
  };

  beforeAll(async () => {
    assembly = await openAssembly();
    ({ diskPath } = await assembleEchoDisk(assembly.context, { extraFiles: [probe] }));
  });
  afterAll(() => assembly[Symbol.asyncDispose]());

  test('reports its assembly from 0 to 100 percent, never backwards', () => {
    expect(assembly.percents.at(0)).toBe(0);
    expect(assembly.percents.at(-1)).toBe(100);
    expect(assembly.percents).toEqual(assembly.percents.toSorted((a, b) => a - b));
  });

  describe('in a closed network', () => {
    let guest: BareGuest;
    beforeAll(async () => {
      guest = await boot(true);
    });
    afterAll(() => guest?.[Symbol.asyncDispose]());

    test('gives back body and content type by any method', async () => {
      const body = Buffer.alloc(2 ** 20, 'Grüße\0');
      for (const method of ['POST', 'PUT', 'DELETE']) {
        const answer = await fetch(`${guest.httpOrigin}/echo`, { method, body, headers: { 'content-type': 'text/x-greeting' } });
        expect(answer.status).toBe(200);
        expect(answer.headers.get('content-type')).toBe('text/x-greeting');
        expect(body.equals(Buffer.from(await answer.arrayBuffer()))).toBe(true);
      }
    });

    test('refuses a body beyond 1 MiB', async () => {
      const answer = await fetch(`${guest.httpOrigin}/echo`, { method: 'POST', body: Buffer.alloc(2 ** 20 + 1) });
      expect(answer.status).toBe(413);
    });

    test('tells its boot, and answers the warm-up requests', async () => {
      const state: unknown = await (await fetch(`${guest.httpOrigin}/state`)).json();
      expect(state).toEqual({
        bootId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        machineId: expect.stringMatching(/^[0-9a-f]{32}$/),
        uptimeSeconds: expect.any(Number),
        time: expect.any(Number),
        hostname: 'echo',
      });
      for (const request of echoService.warmUp ?? []) {
        const body = await request.body?.();
        const answer = await fetch(`${guest.httpOrigin}${request.path}`, {
          method: request.method,
          ...(body && { body: Buffer.from(body) }),
        });
        expect(answer.status).toBe(200);
      }
    });

    test('runs an extra file as a CGI program, without rights', async () => {
      expect(await (await fetch(`${guest.httpOrigin}/cgi/whoami`)).text()).toBe('www-data\n');
    });

    test('echoes raw TCP until the client has finished', async () => {
      const socket = connect(guest.tcpEchoPort, '127.0.0.1');
      socket.end(Buffer.alloc(100_000, 'tcp '));
      expect((await buffer(socket)).equals(Buffer.alloc(100_000, 'tcp '))).toBe(true);
    });

    test('powers off at the power button and says so on its console', async () => {
      guest.qmp.execute('system_powerdown');
      expect(await guest.exited()).toBe(0);
      expect(await guest.serialLog()).toContain('Requesting system poweroff');
    });
  });

  test('echoes UDP, and QEMU hears of its panic', async () => {
    await using guest = await boot(false);
    const socket = createSocket('udp4');
    try {
      socket.connect(guest.udpEchoPort, '127.0.0.1');
      await once(socket, 'connect');
      const resend = setInterval(() => socket.send('udp'), 500);
      const [message] = await once(socket, 'message', { signal: AbortSignal.timeout(10_000) }).finally(() => clearInterval(resend));
      expect(String(message)).toBe('udp');
    } finally {
      socket.close();
    }
    guest.qmp.execute('inject-nmi');
    await guest.qmp.event('GUEST_PANICKED', 10_000);
  });
});
