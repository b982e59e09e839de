import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { errorBody, FaultDaemon, type Incoming } from '../../test/support/fault-daemon.ts';
import { settle } from '../../test/support/settle.ts';
import { until } from '../../test/support/until.ts';
import { KeepaliveProcedure, maxStreamPayloadBytes, MessageStatus, MessageType, Program } from '../protocol/constants.ts';
import { ErrorCode } from '../protocol/error-codes.ts';
import type { Connection } from './connection.ts';
import { openConnection } from './open-connection.ts';

const domain = { name: 'vm', uuid: '01020304-0506-0708-090a-0b0c0d0e0f10', id: 1 };
const volume = { pool: 'p', name: 'v', key: '/v' };
const range = { volume, offset: 0n, length: 0n, flags: 0 };

let daemon: FaultDaemon;
let connection: Connection;
/** What the client sent after the call that opened the stream. */
let packets: Incoming[];
/** That call, once it is there. */
let opening: Incoming | undefined;

beforeEach(async () => {
  daemon = await FaultDaemon.start();
  connection = await openConnection(daemon.uri, { keepalive: { intervalMs: 10, count: 2 } });
  packets = [];
  opening = undefined;
  daemon.handler = (incoming) => {
    if (incoming.frame.program === Program.KEEPALIVE) incoming.send({ type: MessageType.MESSAGE, procedure: KeepaliveProcedure.PONG });
    else if (incoming.frame.type === MessageType.STREAM) packets.push(incoming);
    else if (incoming.name === 'connectGetHostname') incoming.reply(incoming.name, { hostname: 'here' });
    else if (incoming.name === 'domainOpenConsole' || incoming.name?.startsWith('storageVol')) {
      opening = incoming;
      incoming.send({});
    }
  };
});
afterEach(async () => {
  await connection.close();
  await daemon[Symbol.asyncDispose]();
});

async function open(name: 'storageVolDownload' | 'storageVolUpload'): Promise<{ stream: Duplex; peer: Incoming }> {
  const { stream } = await connection.openStream(name, range);
  if (opening === undefined) throw new Error('The daemon did not see the call.');
  return { stream, peer: opening };
}

const data = (peer: Incoming, bytes: Buffer) => peer.stream(MessageStatus.CONTINUE, bytes);
const end = (peer: Incoming) => peer.stream(MessageStatus.CONTINUE);
const confirm = (peer: Incoming) => peer.stream(MessageStatus.OK);
const statuses = () => packets.map(({ frame }) => frame.status);

async function expectUsable(): Promise<void> {
  expect(await connection.call('connectGetHostname', {})).toEqual({ hostname: 'here' });
}

describe('a stream that is read', () => {
  it('hands out data and holes, and ends when the daemon has confirmed', async () => {
    const { stream, peer } = await open('storageVolDownload');
    data(peer, Buffer.from('before'));
    const hole = (encoder: { hyper(n: bigint): void; uint(n: number): void }) => {
      encoder.hyper(100_000n);
      encoder.uint(0);
    };
    peer.stream(MessageStatus.CONTINUE, hole, MessageType.STREAM_HOLE);
    data(peer, Buffer.from('after'));
    end(peer);
    const content = buffer(stream);
    await until('the finish', () => packets.length === 1);
    expect(statuses()).toEqual([MessageStatus.OK]);
    expect(stream.readableEnded).toBe(false);
    confirm(peer);
    expect((await content).equals(Buffer.concat([Buffer.from('before'), Buffer.alloc(100_000), Buffer.from('after')]))).toBe(true);
    await expectUsable();
  });

  it('fails with what the daemon says, in the middle or at the end', async () => {
    const first = await open('storageVolDownload');
    data(first.peer, Buffer.from('some'));
    first.peer.stream(MessageStatus.ERROR, errorBody(ErrorCode.SYSTEM_ERROR, 'disk on fire'));
    await expect(text(first.stream)).rejects.toMatchObject({ kind: 'libvirt', code: 38, procedure: 'storageVolDownload' });

    const second = await open('storageVolDownload');
    end(second.peer);
    const content = text(second.stream);
    await until('the finish', () => packets.length === 1);
    second.peer.stream(MessageStatus.ERROR, errorBody(ErrorCode.SYSTEM_ERROR, 'disk on fire after all'));
    await expect(content).rejects.toMatchObject({ message: 'disk on fire after all' });
    await expectUsable();
  });

  it('is aborted at the daemon when it is destroyed, and what was on its way hurts nobody', async () => {
    const { stream, peer } = await open('storageVolDownload');
    stream.destroy();
    await until('the abort', () => packets.length === 1);
    expect(statuses()).toEqual([MessageStatus.ERROR]);
    data(peer, Buffer.from('too late'));
    confirm(peer);
    await expectUsable();
  });

  it('lets the daemon wait for a slow reader, and is not taken for dead meanwhile', async () => {
    const { stream, peer } = await open('storageVolDownload');
    const packet = randomBytes(maxStreamPayloadBytes);
    const count = 100;
    for (let i = 0; i < count; i++) data(peer, packet);
    end(peer);
    const start = performance.now();
    await until('many keepalive intervals', () => performance.now() - start > 150);
    expect(stream.readableLength).toBeLessThan(8 * maxStreamPayloadBytes);
    expect(peer.peer.socket.writableLength).toBeGreaterThan(50 * maxStreamPayloadBytes);
    expect(connection.closeReason).toBeUndefined();

    const content = buffer(stream);
    await until('the finish', () => packets.length === 1);
    confirm(peer);
    expect((await content).equals(Buffer.concat(Array.from({ length: count }, () => packet)))).toBe(true);
  });

  it('fails when the connection is lost', async () => {
    const { stream } = await open('storageVolDownload');
    const content = text(stream);
    await daemon.vanish();
    await expect(content).rejects.toMatchObject({ kind: 'connection-lost' });
  });

  it('that nobody listens to may fail without ending the process', async () => {
    const { stream } = await open('storageVolDownload');
    await daemon.vanish();
    await until('the end of the stream', () => stream.closed);
    expect(stream.errored).toMatchObject({ kind: 'connection-lost' });
  });

  it('may not be confirmed before it was finished', async () => {
    const { stream, peer } = await open('storageVolDownload');
    confirm(peer);
    await expect(text(stream)).rejects.toMatchObject({ kind: 'protocol' });
    expect(connection.closeReason).toMatchObject({ kind: 'protocol' });
  });
});

describe('a stream that is written', () => {
  it('is cut into packets, and finishes when the daemon has confirmed', async () => {
    const { stream, peer } = await open('storageVolUpload');
    const content = randomBytes(2 * maxStreamPayloadBytes + 5);
    const writing = pipeline([content], stream);
    await until('the finish', () => packets.at(-1)?.frame.status === MessageStatus.OK);
    expect(stream.writableFinished).toBe(false);
    confirm(peer);
    await writing;
    const sent = packets.slice(0, -1).map(({ frame }) => frame.body);
    expect(sent.map(({ length }) => length)).toEqual([maxStreamPayloadBytes, maxStreamPayloadBytes, 5]);
    expect(Buffer.concat(sent).equals(content)).toBe(true);
    await expectUsable();
  });

  it('fails with what the daemon says', async () => {
    const { stream, peer } = await open('storageVolUpload');
    async function* endless() {
      for (;;) yield randomBytes(10_000);
    }
    const writing = pipeline(endless(), stream);
    await until('some data', () => packets.length > 0);
    peer.stream(MessageStatus.ERROR, errorBody(ErrorCode.SYSTEM_ERROR, 'no space left'));
    await expect(writing).rejects.toMatchObject({ kind: 'libvirt', message: 'no space left' });
    await expectUsable();
  });

  it('is not written by the daemon', async () => {
    const { stream, peer } = await open('storageVolUpload');
    data(peer, Buffer.from('unasked'));
    await until('the end of the stream', () => stream.closed);
    expect(stream.errored).toMatchObject({ kind: 'protocol' });
  });

  it('lets the writer wait for a daemon that does not read, which is not taken for dead meanwhile', async () => {
    const { stream, peer } = await open('storageVolUpload');
    peer.peer.socket.pause();
    const content = Buffer.alloc(64 * maxStreamPayloadBytes);
    let taken = false;
    stream.write(content, () => (taken = true));
    const start = performance.now();
    await until('many keepalive intervals', () => performance.now() - start > 150);
    expect([taken, stream.writableNeedDrain]).toEqual([false, true]);
    peer.peer.socket.resume();
    await until('the data to be taken', () => taken);
  });
});

describe('a stream both ways', () => {
  const openConsole = (options?: { signal: AbortSignal }) =>
    connection.openStream('domainOpenConsole', { domain, device: null, flags: 0 }, options);

  it('is a terminal', async () => {
    const { stream } = await openConsole();
    stream.write('hello\n');
    await until('what was typed', () => packets.length === 1);
    expect(packets[0]?.frame.body.toString()).toBe('hello\n');
    data(packets[0] as Incoming, Buffer.from('you said hello\n'));
    stream.end();
    await until('the finish', () => packets.length === 2);
    confirm(packets[0] as Incoming);
    expect(await text(stream)).toBe('you said hello\n');
    await until('its end', () => stream.closed);
    await expectUsable();
  });

  it('ends when the guest does', async () => {
    const { stream } = await openConsole();
    end(opening as Incoming);
    const content = text(stream);
    await until('the finish', () => packets.length === 1);
    confirm(opening as Incoming);
    expect(await content).toBe('');
    await until('its end', () => stream.closed);
    expect(stream.errored).toBeNull();
  });

  it('ends with its signal', async () => {
    const controller = new AbortController();
    const { stream } = await openConsole({ signal: controller.signal });
    const content = settle([text(stream)]);
    controller.abort();
    expect(await content).toEqual([expect.objectContaining({ kind: 'aborted' })]);
    await until('the abort', () => packets.length === 1);
    expect(statuses()).toEqual([MessageStatus.ERROR]);
  });

  it('that was given up while opening is aborted when it opens', async () => {
    const messages = daemon.collect();
    const controller = new AbortController();
    const opened = settle([openConsole({ signal: controller.signal })]);
    await until('the call', () => messages.length === 1);
    controller.abort();
    expect(await opened).toEqual([expect.objectContaining({ kind: 'aborted' })]);
    messages[0]?.send({});
    await until('the abort', () => messages.length === 2);
    expect(messages[1]?.frame).toMatchObject({ type: MessageType.STREAM, status: MessageStatus.ERROR });
  });
});
