import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FaultDaemon, type Incoming } from '../../test/support/fault-daemon.ts';
import { settle } from '../../test/support/settle.ts';
import { until } from '../../test/support/until.ts';
import type { CallOptions } from '../caller.ts';
import { openConnection } from '../connection/open-connection.ts';
import { RpcError } from '../errors.ts';
import { CallPool, type CallPoolOptions } from './call-pool.ts';

let daemon: FaultDaemon;
let calls: Incoming[];
let pools: CallPool[];
beforeEach(async () => {
  daemon = await FaultDaemon.start();
  calls = daemon.collect();
  pools = [];
});
afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.close(closed)));
  await daemon[Symbol.asyncDispose]();
});

const closed = new RpcError('closed', 'over');

function makePool(options: Partial<CallPoolOptions> = {}): CallPool {
  const open = () => openConnection(daemon.uri, { keepalive: false });
  const pool = new CallPool({ open, maxConnections: 2, growAfterMs: 0, idleMs: 10_000, ...options });
  pools.push(pool);
  return pool;
}

const call = (pool: CallPool, options: CallOptions = {}) =>
  pool.run((connection, remaining) => connection.call('connectGetHostname', {}, remaining), options);
const answer = (call: Incoming | undefined) => call?.reply('connectGetHostname', { hostname: 'here' });

/** The most calls that any connection had at once, by counting what is unanswered. */
const perConnection = (unanswered: readonly Incoming[]) =>
  [...Map.groupBy(unanswered, ({ peer }) => peer.index).values()].map((group) => group.length);

describe('CallPool', () => {
  it('puts four calls on each connection and lets the rest wait', async () => {
    const pool = makePool();
    const results = Array.from({ length: 11 }, () => call(pool));
    await until('eight calls', () => calls.length === 8);
    expect(perConnection(calls)).toEqual([4, 4]);

    answer(calls[0]);
    await until('the ninth', () => calls.length === 9);
    expect(calls[8]?.peer.index).toBe(calls[0]?.peer.index);
    for (const each of calls.slice(1)) answer(each);
    await until('the rest', () => calls.length === 11);
    for (const each of calls.slice(9)) answer(each);
    expect(await settle(results)).toEqual(Array.from({ length: 11 }, () => 'ok'));
    expect(daemon.peers).toHaveLength(2);
  });

  it('opens a further connection only for calls that have waited', async () => {
    const pool = makePool({ growAfterMs: 200 });
    const stuck = settle(Array.from({ length: 4 }, () => call(pool)));
    await until('four calls', () => calls.length === 4);
    const start = performance.now();
    const free = call(pool);
    await until('the fifth', () => calls.length === 5);
    // A timer counts from when the event loop last looked at the clock, which is earlier on a busy machine.
    expect(performance.now() - start).toBeGreaterThan(100);
    expect(calls[4]?.peer.index).toBe(1);
    answer(calls[4]);
    expect(await free).toEqual({ hostname: 'here' });
    for (const each of calls.slice(0, 4)) answer(each);
    await stuck;
  });

  it('rejects a call that is given up at once, and closes a connection when all its calls are', async () => {
    const pool = makePool();
    const controller = new AbortController();
    const others = settle([call(pool)]);
    const givenUp = settle([call(pool, { signal: controller.signal }), call(pool, { timeoutMs: 10 })]);
    await until('three calls', () => calls.length === 3);
    controller.abort();
    expect(await givenUp).toEqual([expect.objectContaining({ kind: 'aborted' }), expect.objectContaining({ kind: 'timeout' })]);
    expect(daemon.connected).toHaveLength(1);
    answer(calls[0]);
    expect(await others).toEqual(['ok']);

    calls.length = 0;
    const controller2 = new AbortController();
    const alone = settle([call(pool, { signal: controller2.signal })]);
    await until('the call', () => calls.length === 1);
    controller2.abort();
    await alone;
    await until('its connection to be closed', () => daemon.connected.length === 0);
  });

  it('keeps the place of a call that was given up until the daemon has answered it', async () => {
    const pool = makePool({ maxConnections: 1 });
    const controller = new AbortController();
    const results = settle([call(pool), call(pool, { signal: controller.signal }), call(pool), call(pool), call(pool)]);
    await until('four calls', () => calls.length === 4);
    controller.abort();
    answer(calls[1]);
    await until('the fifth', () => calls.length === 5);
    for (const index of [0, 2, 3, 4]) answer(calls[index]);
    expect(await results).toEqual(['ok', expect.objectContaining({ kind: 'aborted' }), 'ok', 'ok', 'ok']);
  });

  it('lets a call give up while it waits for a place', async () => {
    const pool = makePool({ maxConnections: 1 });
    const stuck = settle(Array.from({ length: 4 }, () => call(pool)));
    await until('four calls', () => calls.length === 4);
    const controller = new AbortController();
    const waiting = settle([
      call(pool, { signal: controller.signal }),
      call(pool, { timeoutMs: 5 }),
      call(pool, { signal: AbortSignal.abort() }),
    ]);
    controller.abort();
    expect(await waiting).toEqual([
      expect.objectContaining({ kind: 'aborted' }),
      expect.objectContaining({ kind: 'timeout' }),
      expect.objectContaining({ kind: 'aborted' }),
    ]);
    for (const each of calls) answer(each);
    await stuck;
    expect(calls).toHaveLength(4);
  });

  it('rejects those that wait when no connection can be made, and tries again for the next', async () => {
    const pool = makePool();
    await daemon.vanish();
    for (const error of await settle([call(pool), call(pool)])) expect(error).toMatchObject({ kind: 'connect', retryable: true });
    await daemon.listen();
    const result = call(pool);
    await until('the call', () => calls.length === 1);
    answer(calls[0]);
    expect(await result).toEqual({ hostname: 'here' });
  });

  it('replaces a connection that is lost', async () => {
    const pool = makePool();
    const lost = settle([call(pool)]);
    await until('the call', () => calls.length === 1);
    calls[0]?.peer.socket.destroy();
    expect(await lost).toEqual([expect.objectContaining({ kind: 'connection-lost' })]);
    const result = call(pool);
    await until('the next', () => calls.length === 2);
    answer(calls[1]);
    await result;
  });

  it('closes connections that are idle', async () => {
    const pool = makePool({ idleMs: 20 });
    const result = call(pool);
    await until('the call', () => calls.length === 1);
    answer(calls[0]);
    await result;
    expect(daemon.connected).toHaveLength(1);
    await until('the connection to be closed', () => daemon.connected.length === 0);
  });

  it('rejects everything when it is closed', async () => {
    const pool = makePool({ maxConnections: 1 });
    const results = settle(Array.from({ length: 6 }, () => call(pool)));
    await until('four calls', () => calls.length === 4);
    await pool.close(closed);
    for (const error of await results) expect(error).toMatchObject({ kind: 'closed' });
    await expect(call(pool)).rejects.toBe(closed);
    await until('the connections to be closed', () => daemon.connected.length === 0);
  });
});
