import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FaultDaemon, type Incoming } from '../../test/support/fault-daemon.ts';
import { settle } from '../../test/support/settle.ts';
import { until } from '../../test/support/until.ts';
import { KeepaliveProcedure, MessageType, Program } from '../protocol/constants.ts';
import { encodeFrame } from '../wire/frame.ts';
import { openConnection } from './open-connection.ts';

let daemon: FaultDaemon;
beforeEach(async () => {
  daemon = await FaultDaemon.start();
});
afterEach(() => daemon[Symbol.asyncDispose]());

describe('keepalive', () => {
  const isPing = ({ frame }: Incoming) => frame.program === Program.KEEPALIVE && frame.procedure === KeepaliveProcedure.PING;

  it('answers the pings of the daemon', async () => {
    const messages = daemon.collect();
    await using _connection = await openConnection(daemon.uri, { keepalive: false });
    daemon.peers[0]?.socket.write(
      encodeFrame({ program: Program.KEEPALIVE, procedure: KeepaliveProcedure.PING, type: MessageType.MESSAGE, serial: 0, status: 0 }),
    );
    await until('a pong', () => messages.length > 0);
    expect(messages[0]?.frame).toMatchObject({ program: Program.KEEPALIVE, procedure: KeepaliveProcedure.PONG, type: MessageType.MESSAGE });
  });

  it('ends a connection that stays silent', async () => {
    const messages = daemon.collect();
    await using silent = await openConnection(daemon.uri, { keepalive: { intervalMs: 10, count: 3 } });
    await expect(silent.call('connectGetHostname', {})).rejects.toMatchObject({
      kind: 'connection-lost',
      message: expect.stringContaining('keepalive') as string,
    });
    expect(messages.filter(isPing)).toHaveLength(3);
  });

  it('keeps a connection whose daemon answers', async () => {
    const pings: Incoming[] = [];
    daemon.handler = (incoming) => {
      if (!isPing(incoming)) return;
      pings.push(incoming);
      incoming.send({ type: MessageType.MESSAGE, procedure: KeepaliveProcedure.PONG });
    };
    await using alive = await openConnection(daemon.uri, { keepalive: { intervalMs: 5, count: 1 } });
    await until('ten pings', () => pings.length >= 10);
    expect(alive.closeReason).toBeUndefined();
  });

  it('does not judge a daemon whose call window is full', async () => {
    const messages = daemon.collect();
    const intervalMs = 5;
    await using busy = await openConnection(daemon.uri, { keepalive: { intervalMs, count: 1 } });
    const results = settle(Array.from({ length: 5 }, () => busy.call('connectGetHostname', {})));
    const calls = () => messages.filter(({ name }) => name === 'connectGetHostname');
    await until('five calls', () => calls().length === 5);
    const pingsBefore = messages.filter(isPing).length;
    const start = performance.now();
    await until('twenty intervals', () => performance.now() - start > 20 * intervalMs);
    expect(busy.closeReason).toBeUndefined();
    expect(messages.filter(isPing).length - pingsBefore).toBeLessThanOrEqual(1);
    for (const call of calls()) call.reply('connectGetHostname', { hostname: 'at last' });
    expect(await results).toEqual(Array.from({ length: 5 }, () => 'ok'));
  });
});
