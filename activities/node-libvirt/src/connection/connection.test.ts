import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FaultDaemon } from '../../test/support/fault-daemon.ts';
import { settle } from '../../test/support/settle.ts';
import { until } from '../../test/support/until.ts';
import { MessageStatus, MessageType } from '../protocol/constants.ts';
import { ErrorCode } from '../protocol/error-codes.ts';
import type { Connection } from './connection.ts';
import { openConnection } from './open-connection.ts';

const domain = { name: 'vm', uuid: '01020304-0506-0708-090a-0b0c0d0e0f10', id: 1 };

let daemon: FaultDaemon;
let connection: Connection;
beforeEach(async () => {
  daemon = await FaultDaemon.start();
  connection = await openConnection(daemon.uri, { keepalive: false });
});
afterEach(async () => {
  await connection.close();
  await daemon[Symbol.asyncDispose]();
});

describe('calls', () => {
  it('are pipelined, and answered in any order', async () => {
    const calls = daemon.collect();
    const results = ['a', 'b', 'c'].map((name) => connection.call('domainLookupByName', { name }));
    await until('three calls', () => calls.length === 3);
    for (const call of calls.toReversed()) {
      const { name } = call.args() as { name: string };
      call.reply('domainLookupByName', { domain: { ...domain, name } });
    }
    expect((await Promise.all(results)).map(({ domain }) => domain.name)).toEqual(['a', 'b', 'c']);
    expect(connection.outstanding).toBe(0);
  });

  it('carry what libvirt says in an error', async () => {
    daemon.handler = (call) => call.refuse(ErrorCode.NO_DOMAIN, 'no domain with matching name');
    await expect(connection.call('domainLookupByName', { name: 'x' })).rejects.toMatchObject({
      name: 'LibvirtError',
      kind: 'libvirt',
      code: 42,
      domain: 10,
      level: 2,
      message: 'no domain with matching name',
      procedure: 'domainLookupByName',
      retryable: false,
    });
  });

  it('that cannot be sent fail alone', async () => {
    const notSent = [
      connection.call('domainLookupByName', { name: 'a\0b' }),
      connection.call('domainLookupByUuid', { uuid: 'nonsense' }),
      connection.call('domainLookupById', { id: 2 ** 40 }),
    ];
    for (const error of await settle(notSent)) expect(error).toMatchObject({ kind: 'invalid-argument', retryable: false });
    daemon.handler = (call) => call.reply('connectGetHostname', { hostname: 'here' });
    expect(await connection.call('connectGetHostname', {})).toEqual({ hostname: 'here' });
  });

  it('can be given up, and their late reply hurts nobody', async () => {
    const calls = daemon.collect();
    const controller = new AbortController();
    const aborted = connection.call('connectGetHostname', {}, { signal: controller.signal });
    const timedOut = connection.call('connectGetHostname', {}, { timeoutMs: 20 });
    const patient = settle([connection.call('connectGetHostname', {}, { timeoutMs: Infinity })]);
    controller.abort(new Error('changed my mind'));
    const [first, second] = await settle([aborted, timedOut]);
    expect(first).toMatchObject({ kind: 'aborted', cause: new Error('changed my mind') });
    expect(second).toMatchObject({ kind: 'timeout', retryable: true });
    expect([connection.outstanding, connection.awaited]).toEqual([3, 1]);

    await until('the calls', () => calls.length === 3);
    for (const call of calls) call.reply('connectGetHostname', { hostname: 'late' });
    expect(await patient).toEqual(['ok']);
    expect(connection.outstanding).toBe(0);
    expect(connection.closeReason).toBeUndefined();
  });

  it('are not sent when their signal is aborted already', async () => {
    const calls = daemon.collect();
    await expect(connection.call('connectGetHostname', {}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: 'aborted' });
    const timeout = AbortSignal.timeout(1);
    await until('the timeout', () => timeout.aborted);
    await expect(connection.call('connectGetHostname', {}, { signal: timeout })).rejects.toMatchObject({ kind: 'timeout' });
    expect(calls).toEqual([]);
  });

  it('are rejected at once when the daemon goes away, and so are later ones', async () => {
    const calls = daemon.collect();
    const closed = vi.fn<(reason: Error) => void>();
    connection.on('close', closed);
    const results = [connection.call('connectGetHostname', {}), connection.call('nodeGetInfo', {})];
    await until('both calls', () => calls.length === 2);
    await daemon.vanish();
    const [first, second] = await settle(results);
    expect(first).toMatchObject({ kind: 'connection-lost', retryable: true });
    expect(second).toBe(first);
    await expect(connection.call('connectGetHostname', {})).rejects.toBe(first);
    expect(closed.mock.calls).toEqual([[first]]);
  });

  it('are rejected with `closed` by close, which may be repeated', async () => {
    const result = settle([connection.call('connectGetHostname', {})]);
    await Promise.all([connection.close(), connection.close()]);
    expect(await result).toEqual([expect.objectContaining({ kind: 'closed' })]);
    await until('the daemon to notice', () => daemon.connected.length === 0);
  });
});

describe('events', () => {
  it('are handed out by name, and unknown ones passed over', async () => {
    const seen = vi.fn<(event: unknown) => void>();
    connection.on('event', seen);
    daemon.handler = (call) => {
      const header = { type: MessageType.MESSAGE, serial: 0, status: MessageStatus.OK };
      call.send({ ...header, procedure: 362 }, (encoder) => encoder.int(1));
      call.send({ ...header, procedure: 359 }, (encoder) => {
        encoder.int(0);
        encoder.string(domain.name, 100);
        encoder.fixedOpaque(Buffer.from(domain.uuid.replaceAll('-', ''), 'hex'));
        encoder.int(domain.id);
        encoder.int(2);
      });
      call.reply('connectGetHostname', { hostname: 'here' });
    };
    await connection.call('connectGetHostname', {});
    expect(seen.mock.calls).toEqual([[{ kind: 'migration-iteration', domain, iteration: 2 }]]);
  });
});
