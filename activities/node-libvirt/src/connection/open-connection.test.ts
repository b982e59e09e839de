import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FaultDaemon } from '../../test/support/fault-daemon.ts';
import { until } from '../../test/support/until.ts';
import { ErrorCode } from '../protocol/error-codes.ts';
import { openConnection } from './open-connection.ts';

let daemon: FaultDaemon;
beforeEach(async () => {
  daemon = await FaultDaemon.start();
});
afterEach(() => daemon[Symbol.asyncDispose]());

describe('openConnection', () => {
  it('says what is wrong with the socket', async () => {
    await expect(openConnection('qemu+unix:///system?socket=/nowhere/sock')).rejects.toMatchObject({
      kind: 'connect',
      retryable: true,
      message: 'There is no socket at /nowhere/sock. Is libvirtd running?',
    });
    await expect(openConnection('qemu+tcp://127.0.0.1:1/system')).rejects.toMatchObject({
      kind: 'connect',
      message: 'Nobody listens at 127.0.0.1:1. Is libvirtd running?',
    });
  });

  it('gives up on a daemon that accepts and says nothing', async () => {
    daemon.saysHello = false;
    await expect(openConnection(daemon.uri, { connectTimeoutMs: 30 })).rejects.toMatchObject({ kind: 'timeout', retryable: true });
    await expect(openConnection(daemon.uri, { signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: 'aborted' });
    const before = daemon.peers.length;
    const controller = new AbortController();
    const opening = openConnection(daemon.uri, { signal: controller.signal });
    await until('the connection', () => daemon.peers.length > before);
    controller.abort();
    await expect(opening).rejects.toMatchObject({ kind: 'aborted' });
    await until('the sockets to be closed', () => daemon.connected.length === 0);
  });

  it.each([
    [2, 'polkit'],
    [1, 'SASL'],
    [77, 'type 77'],
  ])('does not speak authentication of type %i, and says so', async (type, message) => {
    daemon.authTypes = [type];
    await expect(openConnection(daemon.uri)).rejects.toMatchObject({
      kind: 'unsupported',
      retryable: false,
      message: expect.stringContaining(message) as string,
    });
    await until('the socket to be closed', () => daemon.connected.length === 0);
  });

  it('opens the driver by the URI without what concerns the way there', async () => {
    daemon.saysHello = false;
    daemon.handler = (call) => {
      if (call.name === 'authList') call.reply(call.name, { types: [0] });
      else if (call.name === 'connectSupportsFeature') call.reply(call.name, { supported: true });
      else if (call.name === 'connectOpen') call.refuse(ErrorCode.NO_CONNECT, JSON.stringify(call.args()));
    };
    await expect(openConnection(`${daemon.uri}&x=1`)).rejects.toMatchObject({
      code: ErrorCode.NO_CONNECT,
      message: '{"name":"qemu:///system?x=1","flags":0}',
    });
  });
});
