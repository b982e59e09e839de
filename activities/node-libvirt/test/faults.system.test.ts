/** What happens when a real libvirtd is killed, hangs, or is kept busy. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, createReadStream, openSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect, openConnection, type Client, type Domain } from '../src/index.ts';
import { CollectedEvents } from './support/collect-events.ts';
import { guestXml } from './support/echo-guest.ts';
import { LibvirtHost } from './support/libvirt-host.ts';
import { settle } from './support/settle.ts';
import { until } from './support/until.ts';

let host: LibvirtHost;
let client: Client;
beforeEach(async () => {
  host = await LibvirtHost.start('faults');
  client = await connect(host.uri, { keepalive: { intervalMs: 200, count: 3 } });
});
afterEach(async () => {
  await client?.close();
  await host?.stop();
});

/** A guest that is being saved into a FIFO that nobody reads, so that the save hangs and holds the domain. */
async function hangingSave(name: string, options: { readonly signal?: AbortSignal } = {}) {
  const domain = await client.domains.create(guestXml({ name }));
  const fifo = host.statePath(`${name}.fifo`);
  execFileSync('mkfifo', [fifo]);
  await using events = await CollectedEvents.of(client.events('lifecycle', { domainUuid: domain.uuid }));
  const saving = settle([domain.save(`/var/lib/libvirt/${name}.fifo`, options)]).then(([outcome]) => outcome);
  await events.waitFor('the save to begin', (event) => event.kind === 'lifecycle' && event.event === 'SUSPENDED');
  return { domain, fifo, saving };
}

/** Reads a FIFO to the end, though libvirt opens it twice. */
async function drain({ fifo, saving }: { readonly fifo: string; readonly saving: Promise<unknown> }): Promise<unknown> {
  const holder = openSync(fifo, 'r+');
  const reading = buffer(createReadStream(fifo));
  const outcome = await saving;
  closeSync(holder);
  await reading;
  return outcome;
}

const timed = async <T>(work: Promise<T>) => {
  const start = performance.now();
  const outcome = await work;
  return { outcome, ms: performance.now() - start };
};

describe('a libvirtd that is killed', () => {
  it('rejects what is under way at once, and is back with its events when it is', async () => {
    const witness = await client.domains.create(guestXml({ name: 'witness' }));
    const { saving } = await hangingSave('victim');
    await using events = await CollectedEvents.of(client.events('lifecycle'));
    const disconnected = once(client, 'disconnected');

    await host.signalDaemon('KILL');
    const { outcome, ms } = await timed(saving);
    expect(outcome).toMatchObject({ kind: 'connection-lost', retryable: true });
    expect(ms).toBeLessThan(1000);
    expect(await disconnected).toEqual([expect.objectContaining({ kind: 'connection-lost' })]);
    // Its listening socket may outlive its connections by a moment.
    await expect(client.host.hostname()).rejects.toMatchObject({
      kind: expect.stringMatching(/^connect(ion-lost)?$/) as string,
      retryable: true,
    });

    const reconnected = once(client, 'reconnected');
    await host.startDaemon();
    await reconnected;
    await events.waitFor('the gap', (event) => event.kind === 'gap' && event.reason === 'reconnected');
    expect(await witness.state()).toMatchObject({ state: 'RUNNING' });
    const { uuid } = await client.domains.create(guestXml({ name: 'newcomer' }));
    await events.waitFor('its start', (event) => event.kind === 'lifecycle' && event.domain.uuid === uuid && event.event === 'STARTED');
  });

  it('again and again leaves a client that works', async () => {
    await using events = await CollectedEvents.of(client.events('lifecycle'));
    for (let i = 1; i <= 3; i++) {
      const reconnected = once(client, 'reconnected');
      await host.signalDaemon('KILL');
      await host.startDaemon();
      await reconnected;
      expect(await client.host.hostname()).toBe('faults');
      expect(events.items.filter(({ kind }) => kind === 'gap')).toHaveLength(i);
    }
  });
});

describe('a libvirtd that hangs', () => {
  it('is given up by keepalive, and taken back when it answers', async () => {
    const disconnected = once(client, 'disconnected');
    await client.host.hostname();
    await host.signalDaemon('STOP');
    const [outcome] = await settle([client.host.hostname()]);
    expect(outcome).toMatchObject({ kind: 'connection-lost', message: expect.stringContaining('keepalive') as string });
    await disconnected;

    const reconnected = once(client, 'reconnected');
    await host.signalDaemon('CONT');
    await reconnected;
    expect(await client.host.hostname()).toBe('faults');
  });
});

describe('a libvirtd that is busy', () => {
  it('answers quick calls while long ones, and others that wait for them, hang', async () => {
    const saves = [];
    for (let i = 0; i < 5; i++) saves.push(await hangingSave(`busy${i}`));
    const stuck = settle(saves.map(({ domain }) => domain.state()));

    const { ms } = await timed(client.host.hostname());
    expect(ms).toBeLessThan(1000);
    const later = await timed(Promise.all(Array.from({ length: 1000 }, () => client.host.hostname())));
    expect(later.outcome).toHaveLength(1000);
    expect(client.connected).toBe(true);

    expect(await Promise.all(saves.map(drain))).toEqual(Array.from({ length: 5 }, () => 'ok'));
    // Whoever had waited learns that the saved domain is gone, or how it was.
    expect(await stuck).toHaveLength(5);
  });

  it('is not taken for dead when its window is full', async () => {
    const domains: Domain[] = [];
    for (let i = 0; i < 5; i++) domains.push((await hangingSave(`full${i}`)).domain);
    await using connection = await openConnection(host.uri, { keepalive: { intervalMs: 50, count: 2 } });
    const states = settle(domains.map(({ reference }) => connection.call('domainGetState', { domain: reference, flags: 0 })));
    const start = performance.now();
    await until('many intervals', () => performance.now() - start > 1000);
    expect([connection.outstanding, connection.closeReason]).toEqual([5, undefined]);
    await connection.close();
    for (const outcome of await states) expect(outcome).toMatchObject({ kind: 'closed' });
  });

  it('has a long call given up by its signal', async () => {
    const controller = new AbortController();
    const { saving, fifo, domain } = await hangingSave('unwanted', { signal: controller.signal });
    const aborted = timed(saving);
    controller.abort();
    const { outcome, ms } = await aborted;
    expect(outcome).toMatchObject({ kind: 'aborted' });
    expect(ms).toBeLessThan(100);

    // The daemon goes on with it: RPC has no cancel.
    await using events = await CollectedEvents.of(client.events('lifecycle'));
    const stopped = events.waitFor('the end', (event) => event.kind === 'lifecycle' && event.event === 'STOPPED');
    await drain({ fifo, saving: stopped });
    expect(await stopped).toMatchObject({ detail: 'SAVED', domain: { uuid: domain.uuid } });
  });
});
