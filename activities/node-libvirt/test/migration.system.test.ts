/** A guest goes from one real libvirtd to another, over unix sockets. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, CreateFlag, ErrorCode, JobStatsFlag, MigrateFlag, type Client, type Domain } from '../src/index.ts';
import { CollectedEvents } from './support/collect-events.ts';
import { EchoConsole } from './support/echo-console.ts';
import { makeEchoDisk } from './support/echo-disk.ts';
import { guestXml } from './support/echo-guest.ts';
import { LibvirtHost } from './support/libvirt-host.ts';
import { settle } from './support/settle.ts';
import { until } from './support/until.ts';

const uuid = '5d3e6a0c-0c5b-4e05-9d2e-6f1f3c8c0a02';

let hosts: LibvirtHost[] = [];
let source: Client;
let target: Client;
let channels: string;
beforeAll(async () => {
  channels = await mkdtemp(join(tmpdir(), 'node-libvirt-channels-'));
  hosts = [await LibvirtHost.start('source'), await LibvirtHost.start('target')];
  [source, target] = (await Promise.all(hosts.map(({ uri }) => connect(uri)))) as [Client, Client];
  await makeEchoDisk(source);
  const pool = "<pool type='dir'><name>images</name><target><path>/var/lib/libvirt/images</path></target></pool>";
  await target.storagePools.create(pool);
});
afterAll(async () => {
  await Promise.all([source?.close(), target?.close()]);
  await Promise.all(hosts.map((host) => host.stop()));
  await rm(channels, { recursive: true, force: true });
});

async function startGuest(): Promise<Domain> {
  const disk = '/var/lib/libvirt/images/echo.qcow2';
  const domain = await source.domains.create(guestXml({ name: 'traveller', uuid, disk, format: 'qcow2' }), { flags: CreateFlag.PAUSED });
  const console = await EchoConsole.open(domain);
  await domain.resume();
  await console.expect('READY');
  console.close();
  return domain;
}

/** Both daemons see the folder of the channels, so the same path serves at either end. */
const route = (name: string) => ({
  migrateUri: `unix://${join(channels, `${name}.memory`)}`,
  disksUri: `unix://${join(channels, `${name}.disks`)}`,
});

describe('migration', () => {
  it('is stopped by its job, and the guest goes on where it was', async () => {
    const domain = await startGuest();
    const moving = settle([
      domain.migration.perform(hosts[1]?.uri ?? '', {
        flags: MigrateFlag.LIVE | MigrateFlag.NON_SHARED_DISK,
        disks: ['vda'],
        bandwidthMibPerSecond: 1,
        ...route('stopped'),
      }),
    ]);
    const job = await until('the job to move bytes', async () => {
      const { statistics } = await domain.job.statistics();
      return Number(statistics.disk_total ?? 0) > 0 && statistics;
    });
    expect(job).toMatchObject({ operation: 5 });
    await domain.job.abort();
    expect(await moving).toEqual([expect.objectContaining({ kind: 'libvirt', code: ErrorCode.OPERATION_ABORTED })]);
    const console = await EchoConsole.open(domain);
    await console.say('still here');
    console.close();
    await domain.destroy();
  });

  it('takes a running guest with its disk to the other host', async () => {
    const domain = await startGuest();
    await using left = await CollectedEvents.of(source.events('lifecycle'));
    await using arrived = await CollectedEvents.of(target.events('lifecycle'));
    await using completed = await CollectedEvents.of(source.events('job-completed'));
    await domain.migration.perform(hosts[1]?.uri ?? '', {
      flags: MigrateFlag.LIVE | MigrateFlag.NON_SHARED_DISK,
      disks: ['vda'],
      ...route('whole'),
    });
    await expect(domain.state()).rejects.toMatchObject({ code: ErrorCode.NO_DOMAIN });
    await left.waitFor('the end here', (event) => event.kind === 'lifecycle' && event.event === 'STOPPED' && event.detail === 'MIGRATED');
    await arrived.waitFor('the start there', (event) => event.kind === 'lifecycle' && event.detail === 'MIGRATED');
    const done = await completed.waitFor('the job', (event) => event.kind === 'job-completed');
    expect(done).toMatchObject({ statistics: { operation: 5, downtime: expect.any(Number) as number } });

    const moved = await target.domains.lookupByUuid(uuid);
    expect(await moved.job.statistics({ flags: JobStatsFlag.COMPLETED })).toMatchObject({
      type: 'COMPLETED',
      statistics: { operation: 4 },
    });
    const console = await EchoConsole.open(moved);
    await console.say('new place, same memory');
    console.close();
    await moved.destroy();
  });
});
