import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FaultDaemon } from '../../test/support/fault-daemon.ts';
import { settle } from '../../test/support/settle.ts';
import { until } from '../../test/support/until.ts';
import { MessageStatus, MessageType, Program } from '../protocol/constants.ts';
import { encodeFrame } from '../wire/frame.ts';
import type { Connection } from './connection.ts';
import { openConnection } from './open-connection.ts';

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

describe('a violation of the protocol', () => {
  const header = { program: Program.REMOTE, procedure: 59, type: MessageType.REPLY, serial: 4, status: MessageStatus.OK };
  const hostname = (text: string) => encodeFrame(header, (encoder) => encoder.string(text, 100));
  const frame = (changes: Partial<Record<keyof typeof header, number>>, body = Buffer.alloc(0)) =>
    encodeFrame({ ...header, ...changes }, (encoder) => encoder.fixedOpaque(body));
  const withWord = (index: number, value: number) => {
    const bytes = Buffer.from(hostname('x'));
    bytes.writeUInt32BE(value, index * 4);
    return bytes;
  };

  const violations: readonly (readonly [string, Buffer])[] = [
    ['a length of 0', withWord(0, 0)],
    ['a length below the header', withWord(0, 27)],
    ['a length above the limit', withWord(0, 0x7fff_ffff)],
    ['an unknown program', withWord(1, 0x2000_8085)],
    ['another version', withWord(2, 2)],
    ['another procedure than was called', withWord(3, 60)],
    ['an unknown type', withWord(4, 9)],
    ['a call from the daemon', withWord(4, MessageType.CALL)],
    ['an unknown serial', withWord(5, 4711)],
    ['an unknown status', withWord(6, 7)],
    ['a reply that goes on', withWord(6, MessageStatus.CONTINUE)],
    ['a string longer than its body', frame({}, Buffer.from('7fffffff', 'hex'))],
    ['an empty body where there should be one', frame({})],
    ['bytes after the body', frame({}, Buffer.from('00000000aabbccdd', 'hex'))],
    ['an unreadable error', frame({ status: MessageStatus.ERROR }, Buffer.from('00000001', 'hex'))],
    ['a packet of no stream', frame({ type: MessageType.STREAM, status: MessageStatus.CONTINUE }, Buffer.from('data'))],
    ['a hole in no stream', frame({ type: MessageType.STREAM_HOLE, status: MessageStatus.CONTINUE }, Buffer.alloc(12))],
    ['an unreadable event', frame({ procedure: 318, type: MessageType.MESSAGE, serial: 0 }, Buffer.alloc(3))],
    ['an event with an absurd count', frame({ procedure: 363, type: MessageType.MESSAGE, serial: 0 }, Buffer.alloc(40, 0xff))],
  ];

  it.each(violations)('by %s ends the connection with one error for all', async (_name, bytes) => {
    const calls = daemon.collect();
    const closed = vi.fn<(reason: Error) => void>();
    connection.on('close', closed);
    // The handshake took the serials 1 to 3, so the first of these has 4.
    const results = settle([connection.call('connectGetHostname', {}), connection.call('nodeGetInfo', {})]);
    await until('both calls', () => calls.length === 2);
    calls[0]?.peer.socket.write(bytes);
    const [first, second] = await results;
    expect(first).toMatchObject({ name: 'RpcError', kind: 'protocol', retryable: false });
    expect(second).toBe(first);
    expect(closed.mock.calls).toEqual([[first]]);
    await until('the daemon to notice', () => daemon.connected.length === 0);
  });

  it('is found in any damaged message, without a crash or a hang', async () => {
    const good = Buffer.concat([
      hostname('a name'),
      frame({ program: Program.KEEPALIVE, procedure: 1, type: MessageType.MESSAGE, serial: 0 }),
    ]);
    const damage = fc.array(fc.tuple(fc.integer({ min: 0, max: good.length - 1 }), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        const bytes = Buffer.from(good);
        for (const [offset, value] of changes) bytes[offset] = value;
        daemon.handler = ({ name, peer }) => name === 'connectGetHostname' && peer.socket.end(bytes);
        await using victim = await openConnection(daemon.uri, { keepalive: false });
        const [outcome] = await settle([victim.call('connectGetHostname', {})]);
        // Damage to the text alone is not seen; all else is an error of ours, or of a daemon that then hangs up.
        const kinds = ['protocol', 'connection-lost', 'libvirt'];
        expect(outcome === 'ok' || kinds.includes((outcome as { kind: string }).kind)).toBe(true);
        await until('the end', () => victim.closeReason !== undefined);
      }),
      { numRuns: 100 },
    );
  });

  it('is found in noise', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 28, maxLength: 2000 }), async (noise) => {
        daemon.handler = ({ name, peer }) => name === 'connectGetHostname' && peer.socket.end(noise);
        await using victim = await openConnection(daemon.uri, { keepalive: false });
        const [outcome] = await settle([victim.call('connectGetHostname', {})]);
        expect(['protocol', 'connection-lost']).toContain((outcome as { kind: string }).kind);
      }),
      { numRuns: 100 },
    );
  });
});
