/** A walk through what can be done with a domain, on a real libvirtd with real guests. */
import { execFileSync } from 'node:child_process';
import { closeSync, createReadStream, createWriteStream, openSync, statSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Affect,
  BlockCommitFlag,
  BlockJobAbortFlag,
  connect,
  CreateFlag,
  DomainXmlFlag,
  ErrorCode,
  JobStatsFlag,
  ListDomainsFlag,
  SaveRestoreFlag,
  SnapshotCreateFlag,
  UndefineFlag,
  type Client,
  type Domain,
} from '../src/index.ts';
import { CollectedEvents } from './support/collect-events.ts';
import { EchoConsole } from './support/echo-console.ts';
import { guestXml } from './support/echo-guest.ts';
import { makeEchoDisk } from './support/echo-disk.ts';
import { LibvirtHost } from './support/libvirt-host.ts';

const uuid = '5d3e6a0c-0c5b-4e05-9d2e-6f1f3c8c0a01';
const images = '/var/lib/libvirt/images';

let host: LibvirtHost;
let client: Client;
beforeAll(async () => {
  host = await LibvirtHost.start('walk');
  client = await connect(host.uri);
  await makeEchoDisk(client);
});
afterAll(async () => {
  await client?.close();
  await host?.stop();
});

/** A running guest that has greeted, and is gone after the test. */
async function withGuest<T>(devices: string, work: (domain: Domain, console: EchoConsole) => Promise<T>): Promise<T> {
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', 'echo.qcow2', '-F', 'qcow2', host.statePath('images/guest.qcow2')]);
  const xml = guestXml({ name: 'guest', uuid, disk: `${images}/guest.qcow2`, format: 'qcow2', devices });
  const domain = await client.domains.create(xml, { flags: CreateFlag.PAUSED });
  try {
    const console = await EchoConsole.open(domain);
    await domain.resume();
    await console.expect('READY');
    const result = await work(domain, console);
    console.close();
    return result;
  } finally {
    if (await domain.isActive().catch(() => false)) await domain.destroy();
  }
}

function makeFifo(name: string): string {
  const path = host.statePath(name);
  execFileSync('mkfifo', [path]);
  return path;
}

/** libvirt marks a file as complete by writing its header again, which a FIFO gets at the end. */
function restorable(saved: Buffer): Buffer {
  const image = saved.subarray(0, -92);
  image.write('LibvirtQemudSave');
  return image;
}

describe('a transient domain', () => {
  it('lives, talks, is looked up, suspended, resumed and destroyed, and each step is an event', async () => {
    await using events = await CollectedEvents.of(client.events('lifecycle'));
    await withGuest('', async (domain, console) => {
      expect(domain).toMatchObject({ name: 'guest', uuid });
      expect(await domain.state()).toEqual({ state: 'RUNNING', reason: 'UNPAUSED', stateCode: 1, reasonCode: 5 });
      await console.say('hello');

      expect((await client.domains.lookupByName('guest')).uuid).toBe(uuid);
      expect((await client.domains.lookupByUuid(uuid)).id).toBe(domain.id);
      expect((await client.domains.lookupById(domain.id)).name).toBe('guest');
      expect((await client.domains.list()).map(({ name }) => name)).toEqual(['guest']);
      expect(await client.domains.list({ flags: ListDomainsFlag.PERSISTENT })).toEqual([]);

      await domain.suspend();
      expect(await domain.state()).toMatchObject({ state: 'PAUSED', reason: 'USER' });
      await domain.resume();
      expect(await domain.info()).toMatchObject({ state: 'RUNNING', memoryKib: 32_768, maxMemoryKib: 32_768, vcpus: 1 });
      expect([await domain.isActive(), await domain.isPersistent()]).toEqual([true, false]);
      expect(await domain.xml()).toContain(`<uuid>${uuid}</uuid>`);
      expect(await domain.xml({ flags: DomainXmlFlag.MIGRATABLE })).not.toContain('<alias');
      await domain.destroy();
      await expect(domain.state()).rejects.toMatchObject({ code: ErrorCode.NO_DOMAIN, procedure: 'domainGetState' });
    });
    await events.waitFor('the end', (event) => event.kind === 'lifecycle' && event.event === 'STOPPED');
    const told = events.items.map((event) => (event.kind === 'lifecycle' ? `${event.event}/${event.detail}` : event.kind));
    expect(told).toEqual([
      'STARTED/BOOTED',
      'SUSPENDED/PAUSED',
      'RESUMED/UNPAUSED',
      'SUSPENDED/PAUSED',
      'RESUMED/UNPAUSED',
      'SHUTDOWN/HOST',
      'STOPPED/DESTROYED',
    ]);
  });

  it('cannot be made twice, or from nonsense', async () => {
    await withGuest('', async () => {
      const same = client.domains.create(guestXml({ name: 'guest', uuid }));
      await expect(same).rejects.toMatchObject({ code: ErrorCode.OPERATION_INVALID });
      await expect(client.domains.create(guestXml({ name: 'guest' }))).rejects.toMatchObject({ code: ErrorCode.OPERATION_FAILED });
      await expect(client.domains.create('<domain')).rejects.toMatchObject({ code: ErrorCode.XML_DETAIL });
    });
  });

  it('with autodestroy ends with its client', async () => {
    const other = await connect(host.uri);
    await other.domains.create(guestXml({ name: 'passing' }), { flags: CreateFlag.AUTODESTROY });
    await using events = await CollectedEvents.of(client.events('lifecycle'));
    await other.close();
    const ended = events.waitFor('its end', (event) => event.kind === 'lifecycle' && event.event === 'STOPPED');
    expect(await ended).toMatchObject({ domain: { name: 'passing' }, detail: 'DESTROYED' });
  });

  it('carries metadata of its own, and says when it changes', async () => {
    const namespace = 'https://example.org/app';
    await withGuest('', async (domain) => {
      await using events = await CollectedEvents.of(client.events('metadata-change', { domainUuid: uuid }));
      await expect(domain.metadata(namespace)).rejects.toMatchObject({ code: ErrorCode.NO_DOMAIN_METADATA });
      await domain.setMetadata(namespace, 'app', '<note>näher</note>');
      expect(await domain.metadata(namespace)).toBe('<note>näher</note>');
      await domain.setMetadata(namespace, 'app', null);
      await expect(domain.metadata(namespace)).rejects.toMatchObject({ code: ErrorCode.NO_DOMAIN_METADATA });
      await events.waitFor(
        'the change',
        (event) => event.kind === 'metadata-change' && event.type === 'ELEMENT' && event.uri === namespace,
      );
    });
  });

  it('takes commands of the monitor, and a reboot, as an event', async () => {
    await withGuest('', async (domain, console) => {
      expect(await domain.qemu.humanCommand('info status')).toBe('VM status: running\r\n');
      expect(await domain.qemu.monitorCommand({ execute: 'query-status' })).toMatchObject({ return: { status: 'running' } });
      expect(await domain.qemu.monitorCommand({ execute: 'no-such' })).toMatchObject({ error: { class: 'CommandNotFound' } });
      await using events = await CollectedEvents.of(client.events('reboot'));
      await domain.reset();
      await events.waitFor('the reboot', (event) => event.kind === 'reboot' && event.domain.uuid === uuid);
      await console.expect('READY');
      await domain.shutdown();
      await domain.reboot();
    });
  });

  it('shows its screen and its channels, and says that there is no agent', async () => {
    const channel = (name: string) => `<channel type='unix'><target type='virtio' name='${name}'/></channel>`;
    const devices = `<video><model type='vga'/></video>${channel('test.0')}${channel('org.qemu.guest_agent.0')}`;
    await withGuest(devices, async (domain) => {
      const { mimeType, image } = await domain.screenshot();
      const picture = await buffer(image);
      expect(mimeType).toBe('image/png');
      expect(picture.subarray(1, 4).toString()).toBe('PNG');
      (await domain.openChannel('test.0')).destroy();
      await expect(domain.openChannel('other')).rejects.toMatchObject({ code: ErrorCode.INTERNAL_ERROR });
      const noAgent = { code: ErrorCode.AGENT_UNRESPONSIVE, retryable: true };
      await expect(domain.qemu.agentCommand({ execute: 'guest-ping' })).rejects.toMatchObject(noAgent);
      await expect(domain.statistics.interfaceAddresses('AGENT')).rejects.toMatchObject(noAgent);
    });
  });

  it('counts', async () => {
    const devices = "<interface type='ethernet'><target dev='tap0'/></interface>";
    await withGuest(devices, async (domain) => {
      const { statistics } = domain;
      expect(await statistics.memory()).toMatchObject({ ACTUAL_BALLOON: 32_768n });
      expect(await statistics.block('vda')).toMatchObject({ readBytes: 512n, readRequests: 1n, writeBytes: 0n });
      expect(await statistics.blockDetails('vda')).toMatchObject({ rd_bytes: 512, rd_operations: 1 });
      expect(await statistics.blockInfo('vda')).toMatchObject({ capacityBytes: 1_048_576 });
      expect((await statistics.cpu()).cpu_time).toBeGreaterThan(0);
      expect((await statistics.networkInterface('tap0')).receiveErrors).toBe(0n);
      expect(await statistics.interfaceAddresses('LEASE')).toEqual([]);
      const [all] = await client.domains.statistics({ domains: [domain] });
      expect(all?.domain.uuid).toBe(uuid);
      expect(all?.statistics).toMatchObject({ 'state.state': 1, 'block.0.name': 'vda' });
    });
  });

  it('has its devices changed', async () => {
    const link = (state: string) =>
      `<interface type='ethernet'><mac address='52:54:00:00:00:07'/><target dev='tap7'/><link state='${state}'/></interface>`;
    await withGuest('', async (domain) => {
      await domain.attachDevice(link('up'));
      await domain.updateDevice(link('down'));
      expect(await domain.xml()).toContain("<link state='down'/>");
    });
    const defined = await client.domains.define(guestXml({ name: 'kept', uuid }));
    await defined.attachDevice(link('up'), { flags: Affect.CONFIG });
    expect(await defined.xml()).toContain('52:54:00:00:00:07');
    await defined.detachDevice(link('up'), { flags: Affect.CONFIG });
    expect(await defined.xml()).not.toContain('52:54:00:00:00:07');
    await defined.undefine();
  });
});

describe('memory', () => {
  it('is saved to a file and restored from it, as it was or otherwise', async () => {
    const file = '/var/lib/libvirt/guest.save';
    await withGuest('', async (domain) => {
      await using completed = await CollectedEvents.of(client.events('job-completed'));
      await using iterations = await CollectedEvents.of(client.events('migration-iteration'));
      await domain.save(file);
      expect(statSync(host.statePath('guest.save')).size).toBeGreaterThan(100_000);
      const done = await completed.waitFor('the job', (event) => event.kind === 'job-completed');
      expect(done).toMatchObject({ statistics: { operation: 2 } });
      await iterations.waitFor('a pass', (event) => event.kind === 'migration-iteration' && event.iteration === 1);

      const xml = await client.domains.savedImageXml(file);
      expect(xml).toContain(uuid);
      await client.domains.restore(file, { flags: SaveRestoreFlag.PAUSED });
      expect(await domain.state()).toMatchObject({ state: 'PAUSED' });
      const console = await EchoConsole.open(domain);
      await domain.resume();
      await console.say('still here');
      console.close();

      await domain.saveWithParameters([{ field: 'file', type: 'string', value: file }]);
      const other = xml.replace(uuid, uuid.replace('5d', '5e'));
      await expect(client.domains.restore(file, { xml: other })).rejects.toMatchObject({ code: ErrorCode.CONFIG_UNSUPPORTED });
      await client.domains.defineSavedImageXml(file, xml);
      await client.domains.restoreWithParameters([{ field: 'file', type: 'string', value: file }], { flags: SaveRestoreFlag.RUNNING });
      expect(await domain.state()).toMatchObject({ state: 'RUNNING' });
    });
  });

  it('flows through a FIFO both ways', async () => {
    const out = makeFifo('out');
    const back = makeFifo('back');
    await withGuest('', async (domain) => {
      // libvirt opens the file twice. Holding it open keeps the end away until the save has returned.
      const holder = openSync(out, 'r+');
      const reading = buffer(createReadStream(out));
      await domain.save('/var/lib/libvirt/out');
      closeSync(holder);
      const image = restorable(await reading);

      const restoring = client.domains.restore('/var/lib/libvirt/back', { flags: SaveRestoreFlag.RUNNING });
      await Promise.all([restoring, pipeline([image], createWriteStream(back))]);
      const console = await EchoConsole.open(domain);
      await console.say('through a pipe');
      expect(await domain.state()).toMatchObject({ state: 'RUNNING' });
      console.close();
    });
  });

  it('is dumped for debuggers', async () => {
    await withGuest('', async (domain) => {
      await domain.coreDump('/var/lib/libvirt/guest.core', { flags: 16 });
      expect(statSync(host.statePath('guest.core')).size).toBeGreaterThan(100_000);
    });
  });
});

describe('a persistent domain', () => {
  it('is defined, started, kept by libvirt while it is off, and forgotten', async () => {
    const defined = await client.domains.define(guestXml({ name: 'kept', uuid }));
    await expect(defined.resume()).rejects.toMatchObject({ code: ErrorCode.OPERATION_INVALID });
    expect([defined.id, await defined.isPersistent(), await defined.autostart()]).toEqual([-1, true, false]);
    await defined.setAutostart(true);
    expect(await defined.autostart()).toBe(true);

    const domain = await defined.start();
    expect(domain.id).toBeGreaterThan(0);
    await domain.managedSave.save();
    expect(await domain.managedSave.exists()).toBe(true);
    const xml = await domain.managedSave.xml();
    await domain.managedSave.defineXml(xml);
    await domain.start();
    expect(await domain.state()).toMatchObject({ state: 'RUNNING', reason: 'RESTORED' });
    await domain.managedSave.save();
    await domain.managedSave.remove();
    expect(await domain.managedSave.exists()).toBe(false);
    expect(await domain.state()).toMatchObject({ state: 'SHUTOFF', reason: 'SAVED' });
    await domain.undefine({ flags: UndefineFlag.MANAGED_SAVE });
    await expect(client.domains.lookupByUuid(uuid)).rejects.toMatchObject({ code: ErrorCode.NO_DOMAIN });
  });
});

describe('snapshots and block jobs', () => {
  it('take a domain back to where it was', async () => {
    await withGuest('', async (domain) => {
      const { snapshots } = domain;
      expect(await snapshots.current()).toBeUndefined();
      const first = await snapshots.create('<domainsnapshot><name>first</name></domainsnapshot>');
      await snapshots.create('<domainsnapshot><name>second</name></domainsnapshot>');
      expect((await snapshots.list()).map(({ name }) => name).toSorted()).toEqual(['first', 'second']);
      const current = await snapshots.current();
      expect(current?.name).toBe('second');
      expect((await current?.parent())?.name).toBe('first');
      expect(await first.xml()).toContain('<name>first</name>');
      await (await snapshots.lookupByName('first')).revert();
      expect((await snapshots.current())?.name).toBe('first');
      await current?.delete();
      await first.delete();
      await expect(snapshots.lookupByName('first')).rejects.toMatchObject({ code: ErrorCode.NO_DOMAIN_SNAPSHOT });
    });
  });

  it('pull, commit, copy and resize the disk of a running guest', async () => {
    await withGuest('', async (domain) => {
      const { blockJobs } = domain;
      await using events = await CollectedEvents.of(client.events('block-job'));
      const finished = (type: string, status: string) =>
        events.waitFor(`${type} ${status}`, (event) => event.kind === 'block-job' && event.type === type && event.status === status);
      const overlay = `<domainsnapshot><disks><disk name='vda'><source file='${images}/over.qcow2'/></disk></disks></domainsnapshot>`;
      await domain.snapshots.create(overlay, { flags: SnapshotCreateFlag.DISK_ONLY | SnapshotCreateFlag.NO_METADATA });

      await blockJobs.commit('vda', { flags: BlockCommitFlag.ACTIVE });
      await finished('ACTIVE_COMMIT', 'READY');
      expect(await blockJobs.info('vda')).toMatchObject({ type: 'ACTIVE_COMMIT' });
      await blockJobs.abort('vda', { flags: BlockJobAbortFlag.PIVOT });
      await finished('ACTIVE_COMMIT', 'COMPLETED');
      expect(await blockJobs.info('vda')).toBeUndefined();

      await blockJobs.copy('vda', `<disk type='file'><driver type='qcow2'/><source file='${images}/copy.qcow2'/></disk>`);
      await finished('COPY', 'READY');
      await blockJobs.abort('vda');
      await finished('COPY', 'CANCELED');

      await blockJobs.pull('vda');
      await finished('PULL', 'COMPLETED');
      await blockJobs.resize('vda', 2_097_152);
      expect((await domain.statistics.blockInfo('vda')).capacityBytes).toBe(2_097_152);
    });
  });
});

describe('jobs and migration', () => {
  it('tell what is under way, and refuse what cannot be', async () => {
    await withGuest('', async (domain) => {
      const { job, migration } = domain;
      expect(await job.info()).toMatchObject({ type: 'NONE', memory: { total: 0 } });
      expect(await job.statistics()).toEqual({ type: 'NONE', statistics: {}, parameters: [] });
      expect(await job.statistics({ flags: JobStatsFlag.COMPLETED })).toMatchObject({ type: expect.any(String) as string });
      await expect(job.abort()).rejects.toMatchObject({ code: ErrorCode.OPERATION_INVALID });
      await expect(job.abortWithFlags()).rejects.toMatchObject({ code: ErrorCode.OPERATION_INVALID });
      await migration.setMaxDowntimeMs(120);
      expect(await migration.maxDowntimeMs()).toBe(120);
      await migration.setMaxSpeed(64);
      expect(await migration.maxSpeed()).toBe(64);
      await expect(migration.startPostCopy()).rejects.toMatchObject({ code: ErrorCode.OPERATION_INVALID });
      const nowhere = migration.perform('qemu+unix:///system?socket=/nowhere', { destinationName: 'guest', disks: ['vda'] });
      await expect(nowhere).rejects.toMatchObject({ kind: 'libvirt', procedure: 'domainMigratePerform3Params' });
    });
  });
});
