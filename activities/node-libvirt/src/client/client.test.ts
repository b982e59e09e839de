import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FaultDaemon, type Incoming } from '../../test/support/fault-daemon.ts';
import { settle } from '../../test/support/settle.ts';
import { until } from '../../test/support/until.ts';
import { connect } from '../connect.ts';
import { CreateFlag } from '../protocol/domain-flags.ts';
import { MessageStatus, MessageType } from '../protocol/constants.ts';
import { ErrorCode } from '../protocol/error-codes.ts';
import type { Client } from './client.ts';

const uuid = (n: number) => `00000000-0000-0000-0000-${String(n).padStart(12, '0')}`;
const reference = (n: number) => ({ name: `vm${n}`, uuid: uuid(n), id: n });

let daemon: FaultDaemon;
let client: Client;
let calls: Incoming[];
beforeEach(async () => {
  daemon = await FaultDaemon.start();
  calls = daemon.collect();
  client = await connect(daemon.uri, { keepalive: false, reconnect: { minDelayMs: 5, maxDelayMs: 20 } });
});
afterEach(async () => {
  await client.close();
  await daemon[Symbol.asyncDispose]();
});

const named = (name: string) => calls.filter((call) => call.name === name);
const registrations = () => named('connectDomainEventCallbackRegisterAny');
const deregistrations = () => named('connectDomainEventCallbackDeregisterAny');

/** Answers registrations as libvirtd does, and collects the rest. */
function register(): void {
  let callbackId = 0;
  daemon.handler = (call) => {
    calls.push(call);
    if (call.name === 'connectDomainEventCallbackRegisterAny') call.reply(call.name, { callbackId: callbackId++ });
    else if (call.name === 'connectDomainEventCallbackDeregisterAny') call.reply(call.name, undefined);
  };
}

function sendLifecycle(call: Incoming | undefined, domain: number, event: number): void {
  call?.send({ procedure: 318, type: MessageType.MESSAGE, serial: 0, status: MessageStatus.OK }, (encoder) => {
    encoder.int(0);
    encoder.string(`vm${domain}`, 100);
    encoder.fixedOpaque(Buffer.from(uuid(domain).replaceAll('-', ''), 'hex'));
    encoder.int(domain);
    encoder.int(event);
    encoder.int(0);
  });
}

describe('calls of a client', () => {
  it('that are long never hold up quick ones', async () => {
    daemon.handler = (call) => {
      calls.push(call);
      if (call.name === 'connectGetHostname') call.reply(call.name, { hostname: 'here' });
    };
    const domains = Array.from({ length: 20 }, (_, i) => reference(i));
    const saves = settle(domains.map((domain) => client.call('domainSaveFlags', { domain, file: '/f', xml: null, flags: 0 })));
    await until('sixteen saves', () => named('domainSaveFlags').length === 16);
    expect(await client.host.hostname()).toBe('here');
    const perConnection = Map.groupBy(named('domainSaveFlags'), ({ peer }) => peer.index);
    expect([...perConnection.values()].map((group) => group.length)).toEqual([4, 4, 4, 4]);
    expect(perConnection.has(named('connectGetHostname')[0]?.peer.index ?? -1)).toBe(false);
    await client.close();
    for (const error of await saves) expect(error).toMatchObject({ kind: 'closed' });
  });

  it('that tie a domain to its connection go over the one that lasts', async () => {
    daemon.handler = (call) => {
      calls.push(call);
      if (call.name === 'domainCreateXml') call.reply(call.name, { domain: reference(1) });
    };
    await client.domains.create('<domain/>', { flags: CreateFlag.AUTODESTROY });
    await client.domains.create('<domain/>');
    expect(named('domainCreateXml').map(({ peer }) => peer.index)).toEqual([0, 1]);
  });

  it('that open a stream get a connection for it, which goes with it', async () => {
    daemon.handler = (call) => {
      calls.push(call);
      if (call.name === 'domainOpenConsole' && call.frame.type === MessageType.CALL) call.send({});
      else if (call.name === 'domainOpenConsole') call.stream(MessageStatus.OK);
    };
    const { stream } = await client.openStream('domainOpenConsole', { domain: reference(1), device: null, flags: 0 });
    calls[0]?.stream(MessageStatus.CONTINUE, Buffer.from('booting'));
    calls[0]?.stream(MessageStatus.CONTINUE);
    expect(await text(stream)).toBe('booting');
    await until('the connection to be closed', () => daemon.connected.length === 1);
    expect(daemon.connected[0]?.index).toBe(0);
  });

  it('that fail to open a stream leave no connection', async () => {
    daemon.handler = (call) => call.refuse(ErrorCode.NO_DOMAIN, 'gone');
    const args = { domain: reference(1), device: null, flags: 0 };
    await expect(client.openStream('domainOpenConsole', args)).rejects.toMatchObject({ code: ErrorCode.NO_DOMAIN });
    await until('the connection to be closed', () => daemon.connected.length === 1);
  });
});

describe('events of a client', () => {
  beforeEach(register);

  it('are registered once for all who want them, and deregistered after the last', async () => {
    const first = client.events('lifecycle');
    const second = client.events('lifecycle', { domainUuid: uuid(2).toUpperCase() });
    await Promise.all([first.ready, second.ready]);
    expect(registrations()).toHaveLength(1);
    sendLifecycle(registrations()[0], 1, 2);
    sendLifecycle(registrations()[0], 2, 3);
    expect(await first.next()).toMatchObject({ value: { kind: 'lifecycle', event: 'STARTED', domain: { name: 'vm1' } } });
    expect(await first.next()).toMatchObject({ value: { event: 'SUSPENDED', domain: { name: 'vm2' } } });
    expect(await second.next()).toMatchObject({ value: { event: 'SUSPENDED' } });

    await first.return();
    const third = client.events('lifecycle');
    await third.ready;
    expect([registrations().length, deregistrations().length]).toEqual([1, 0]);
    await second.return();
    await third.return();
    await until('the deregistration', () => deregistrations().length === 1);
    expect(deregistrations()[0]?.args()).toEqual({ callbackId: 0 });
  });

  it('go on after the daemon was away, with a gap to say so', async () => {
    const events = client.events('lifecycle');
    await events.ready;
    const disconnected = once(client, 'disconnected');
    await daemon.vanish();
    expect(await disconnected).toEqual([expect.objectContaining({ kind: 'connection-lost' })]);
    expect(client.connected).toBe(false);
    await expect(client.host.hostname()).rejects.toMatchObject({ kind: 'connect', retryable: true });
    const meanwhile = client.events('lifecycle');

    const reconnected = once(client, 'reconnected');
    await daemon.listen();
    await reconnected;
    await meanwhile.ready;
    expect(client.connected).toBe(true);
    expect(registrations()).toHaveLength(2);
    sendLifecycle(registrations()[1], 1, 5);
    expect(await events.next()).toEqual({ done: false, value: { kind: 'gap', reason: 'reconnected' } });
    expect(await events.next()).toMatchObject({ value: { event: 'STOPPED' } });
    expect(await meanwhile.next()).toMatchObject({ value: { event: 'STOPPED' } });
  });

  it('outlive a daemon that comes and goes while they are registered', async () => {
    const events = client.events('lifecycle');
    await events.ready;
    // The next two connections are lost in the middle of it.
    const handler = daemon.handler;
    let losses = 2;
    daemon.handler = (call) => {
      if (call.name === 'connectDomainEventCallbackRegisterAny' && losses-- > 0) call.peer.socket.destroy();
      else handler(call);
    };
    const reconnected = once(client, 'reconnected');
    daemon.peers[0]?.socket.destroy();
    await reconnected;
    expect(await events.next()).toEqual({ done: false, value: { kind: 'gap', reason: 'reconnected' } });
    expect(losses).toBeLessThan(0);
  });

  it('end when the loop is left, the signal aborted or the client closed', async () => {
    const controller = new AbortController();
    const [left, aborted, closed] = [
      client.events('lifecycle'),
      client.events('lifecycle', { signal: controller.signal }),
      client.events('reboot'),
    ];
    await Promise.all([left.ready, aborted.ready, closed.ready]);
    const waiting = [aborted.next(), closed.next()];
    sendLifecycle(registrations()[0], 1, 2);
    for await (const event of left) if (event.kind === 'lifecycle') break;
    expect(left.ended).toBe(true);
    await waiting[0];
    const next = aborted.next();
    controller.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    await client.close();
    expect(await waiting[1]).toEqual({ done: true, value: undefined });
    await expect(client.events('reboot').ready).rejects.toMatchObject({ kind: 'closed' });
  });

  it('are dropped for a gap when their reader is too slow', async () => {
    const events = client.events('lifecycle', { maxBuffered: 3 });
    await events.ready;
    const other = client.events('lifecycle');
    await other.ready;
    for (let i = 1; i <= 5; i++) sendLifecycle(registrations()[0], i, 2);
    for (let i = 1; i <= 5; i++) await other.next();
    expect(await events.next()).toEqual({ done: false, value: { kind: 'gap', reason: 'overflow' } });
    expect(await events.next()).toMatchObject({ value: { domain: { name: 'vm4' } } });
    expect(await events.next()).toMatchObject({ value: { domain: { name: 'vm5' } } });
  });

  it('throw when libvirt refuses them', async () => {
    daemon.handler = (call) => call.refuse(ErrorCode.NO_SUPPORT, 'unsupported event');
    const events = client.events('agent-lifecycle');
    await expect(events.ready).rejects.toMatchObject({ code: ErrorCode.NO_SUPPORT });
    await expect(events.next()).rejects.toMatchObject({ code: ErrorCode.NO_SUPPORT });
    expect(await client.events('lifecycle', { signal: AbortSignal.abort() }).next()).toEqual({ done: true, value: undefined });
  });
});

describe('connect', () => {
  it('fails when the daemon is not there, and leaves nothing behind', async () => {
    await daemon.vanish();
    await expect(connect(daemon.uri)).rejects.toMatchObject({ kind: 'connect' });
  });

  it('can be given up', async () => {
    daemon.saysHello = false;
    const controller = new AbortController();
    const connecting = connect(daemon.uri, { signal: controller.signal });
    await until('the connection', () => daemon.peers.length === 2);
    controller.abort();
    await expect(connecting).rejects.toMatchObject({ kind: 'aborted' });
    await until('the socket to be closed', () => daemon.connected.length === 1);
  });

  it('gives a client that can be closed twice, also while it reconnects', async () => {
    const disconnected = once(client, 'disconnected');
    await daemon.vanish();
    await disconnected;
    await Promise.all([client.close(), client.close()]);
    await expect(client.host.hostname()).rejects.toMatchObject({ kind: 'closed' });
  });
});
