/** The host, its storage and its networks, on a real libvirtd. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { connect as connectSocket, createServer, type AddressInfo, type Server } from 'node:net';
import { cpus } from 'node:os';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  connect,
  ErrorCode,
  isLibvirtError,
  ListStoragePoolsFlag,
  openConnection,
  StorageVolumeDownloadFlag,
  type Client,
} from '../src/index.ts';
import { volumeXml } from './support/echo-disk.ts';
import { LibvirtHost } from './support/libvirt-host.ts';
import { until } from './support/until.ts';

let host: LibvirtHost;
let client: Client;
beforeAll(async () => {
  host = await LibvirtHost.start('store');
  client = await connect(host.uri);
});
afterAll(async () => {
  await client?.close();
  await host?.stop();
});

describe('a host', () => {
  it('says what it is', async () => {
    const { host } = client;
    expect(await host.hostname()).toBe('store');
    expect(await host.uri()).toBe('qemu:///system');
    expect(await host.libvirtVersion()).toMatch(/^\d+\.\d+\.\d+$/);
    expect(await host.hypervisorVersion()).toMatch(/^\d+\.\d+\.\d+$/);
    const info = await host.info();
    expect(info.model).toBe('x86_64');
    expect(info.cpus).toBe(cpus().length);
    expect(info.memoryKib).toBeGreaterThan(100_000);
    expect(await host.freeMemoryBytes()).toBeGreaterThan(1_000_000);
    expect((await host.memoryStatistics()).total).toBeGreaterThan(1_000_000n);
    expect((await host.cpuStatistics()).idle).toBeGreaterThan(0n);
    expect(await host.maxVcpus('qemu')).toBeGreaterThan(0);
    expect(await host.cpuModels('x86_64')).toContain('qemu64');
    expect(await host.supportsFeature(10)).toBe(true);
    // A virtual machine need not have firmware that describes it.
    const described = await host.systemInfoXml().catch((error: unknown) => isLibvirtError(error, ErrorCode.CONFIG_UNSUPPORTED));
    expect(described === true || String(described).startsWith('<sysinfo')).toBe(true);
  });

  it('compares CPUs and finds what they share', async () => {
    const { host } = client;
    const cpu = find(await host.capabilitiesXml(), /<cpu>[^]*?<\/cpu>/);
    expect(await host.compareCpu(cpu)).toBe('IDENTICAL');
    expect(await host.baselineCpu([cpu, cpu])).toContain('<model');
    const emulation = { virtType: 'qemu', arch: 'x86_64' };
    const model = find(await host.domainCapabilitiesXml(emulation), /<mode name='host-model'[^>]*>([^]*?)<\/mode>/);
    expect(await host.compareHypervisorCpu(`<cpu mode='custom' match='exact'>${model}</cpu>`, emulation)).toBe('IDENTICAL');
    expect(await host.baselineHypervisorCpu([`<cpu>${model}</cpu>`], emulation)).toContain('<model');
    await expect(host.compareCpu('<cpu')).rejects.toMatchObject({ kind: 'libvirt' });
  });

  it('is reached over tcp', async () => {
    const gate = createServer((socket) => void pipeline(socket, connectSocket(host.socket), socket).catch(() => {}));
    await using tcp = await connect(`qemu+tcp://127.0.0.1:${await listen(gate)}/system`);
    expect(await tcp.host.hostname()).toBe('store');
    await tcp.close();
    gate.close();
  });

  it('refuses a driver it does not have', async () => {
    await expect(openConnection(host.uri.replace('qemu', 'nosuch'))).rejects.toMatchObject({ kind: 'libvirt' });
  });
});

describe('storage', () => {
  const poolXml = (name: string) => `<pool type='dir'><name>${name}</name><target><path>/var/lib/libvirt/${name}</path></target></pool>`;

  it('pools are defined, built, started, refreshed and forgotten', async () => {
    const { storagePools } = client;
    const pool = await storagePools.define(poolXml('defined'));
    expect([pool.name, await pool.isActive(), await pool.isPersistent()]).toEqual(['defined', false, true]);
    await pool.build();
    await pool.start();
    await pool.setAutostart(true);
    expect([await pool.isActive(), await pool.autostart()]).toEqual([true, true]);
    expect((await storagePools.lookupByName('defined')).uuid).toBe(pool.uuid);
    expect((await storagePools.lookupByUuid(pool.uuid)).name).toBe('defined');
    expect((await storagePools.lookupByTargetPath('/var/lib/libvirt/defined')).name).toBe('defined');
    expect((await storagePools.list({ flags: ListStoragePoolsFlag.PERSISTENT })).map(({ name }) => name)).toEqual(['defined']);
    expect(await pool.info()).toMatchObject({ state: 'RUNNING' });
    expect((await pool.info()).capacityBytes).toBeGreaterThan(0);
    expect(await pool.xml()).toContain("<pool type='dir'>");
    await pool.refresh();
    await pool.destroy();
    await pool.delete();
    await pool.undefine();
    await expect(storagePools.lookupByName('defined')).rejects.toMatchObject({ code: ErrorCode.NO_STORAGE_POOL });
  });

  it('volumes are made, written, read, cloned, resized and deleted', async () => {
    const { storagePools } = client;
    const pool = await storagePools.define(poolXml('images'));
    await pool.start();
    const volume = await pool.createVolume(volumeXml('a.img', 'raw'));
    const content = randomBytes(1_048_576);
    await pipeline([content], await volume.upload());
    expect(readFileSync(host.statePath('images/a.img')).equals(content)).toBe(true);
    expect((await buffer(await volume.download())).equals(content)).toBe(true);
    expect((await buffer(await volume.download({ offsetBytes: 1000, lengthBytes: 300_000 }))).equals(content.subarray(1000, 301_000))).toBe(
      true,
    );

    const path = '/var/lib/libvirt/images/a.img';
    expect([volume.name, volume.key, await volume.path()]).toEqual(['a.img', path, path]);
    expect(await volume.info()).toEqual({ type: 'FILE', capacityBytes: 1_048_576, allocationBytes: 1_048_576 });
    expect(await volume.xml()).toContain('<name>a.img</name>');
    expect((await pool.lookupVolume('a.img')).key).toBe(path);
    expect((await storagePools.lookupVolumeByPath(path)).name).toBe('a.img');
    expect((await storagePools.lookupVolumeByKey(path)).name).toBe('a.img');

    const clone = await pool.cloneVolume(volumeXml('b.qcow2', 'qcow2'), volume);
    expect((await pool.volumes()).map(({ name }) => name).toSorted()).toEqual(['a.img', 'b.qcow2']);
    await clone.resize(4_194_304);
    expect((await clone.info()).capacityBytes).toBe(4_194_304);
    await volume.wipe();
    expect(readFileSync(host.statePath('images/a.img')).every((byte) => byte === 0)).toBe(true);
    await volume.delete();
    await clone.delete();
    await expect(pool.lookupVolume('a.img')).rejects.toMatchObject({ code: ErrorCode.NO_STORAGE_VOL });
  });

  it('downloads with holes are the same bytes', async () => {
    const pool = await client.storagePools.lookupByName('images');
    const volume = await pool.createVolume(
      `<volume><name>sparse</name><capacity unit='MiB'>8</capacity><allocation>0</allocation></volume>`,
    );
    const data = randomBytes(100_000);
    await pipeline([data], await volume.upload({ offsetBytes: 4_194_304 }));
    expect(statSync(host.statePath('images/sparse')).blocks * 512).toBeLessThan(1_000_000);
    const sparse = await buffer(await volume.download({ flags: StorageVolumeDownloadFlag.SPARSE_STREAM }));
    expect(sparse.equals(await buffer(await volume.download()))).toBe(true);
    expect(sparse.subarray(4_194_304, 4_294_304).equals(data)).toBe(true);
  });

  it('streams wait for a slow reader, fail alone and can be broken off', async () => {
    const pool = await client.storagePools.lookupByName('images');
    const volume = await pool.createVolume(`<volume><name>large</name><capacity unit='MiB'>64</capacity></volume>`);
    const slow = await volume.download();
    await until('a full buffer', () => slow.readableLength > 1_000_000);
    expect(await client.host.hostname()).toBe('store');
    expect(slow.readableLength).toBeLessThan(2_000_000);
    expect((await buffer(slow)).length).toBe(64 * 1_048_576);

    const broken = await volume.download();
    await once(broken, 'readable');
    broken.destroy();
    const upload = await volume.upload();
    upload.write(randomBytes(1000));
    upload.destroy();
    await expect(volume.upload({ offsetBytes: 2 ** 52 }).then((stream) => pipeline([randomBytes(1000)], stream))).rejects.toMatchObject({
      kind: 'libvirt',
    });
    expect((await volume.info()).capacityBytes).toBe(64 * 1_048_576);
  });
});

describe('networks', () => {
  it('are defined, started and forgotten', async () => {
    const { networks } = client;
    const network = await networks.define("<network><name>lan</name><forward mode='bridge'/><bridge name='lo'/></network>");
    await network.start();
    await network.setAutostart(true);
    expect([await network.isActive(), await network.isPersistent(), await network.autostart()]).toEqual([true, true, true]);
    expect(await network.bridgeName()).toBe('lo');
    expect(await network.xml()).toContain('<name>lan</name>');
    expect((await networks.lookupByName('lan')).uuid).toBe(network.uuid);
    expect((await networks.lookupByUuid(network.uuid)).name).toBe('lan');
    expect((await networks.list()).map(({ name }) => name)).toContain('lan');
    await network.destroy();
    await network.undefine();
    await expect(networks.lookupByName('lan')).rejects.toMatchObject({ code: ErrorCode.NO_NETWORK });
    const passing = await networks.create("<network><name>passing</name><forward mode='bridge'/><bridge name='lo'/></network>");
    await passing.destroy();
  });

  it('have filters', async () => {
    const { networkFilters } = client;
    const rule = "<rule action='drop' direction='out' priority='500'><ip dstipaddr='10.0.0.0' dstipmask='8'/></rule>";
    const filter = await networkFilters.define(`<filter name='closed' chain='root'>${rule}</filter>`);
    expect(await filter.xml()).toContain("dstipaddr='10.0.0.0'");
    expect((await networkFilters.lookupByName('closed')).uuid).toBe(filter.uuid);
    expect((await networkFilters.lookupByUuid(filter.uuid)).name).toBe('closed');
    expect((await networkFilters.list()).map(({ name }) => name)).toContain('closed');
    await filter.undefine();
    await expect(networkFilters.lookupByName('closed')).rejects.toMatchObject({ code: ErrorCode.NO_NWFILTER });
  });
});

function find(xml: string, pattern: RegExp): string {
  const match = pattern.exec(xml);
  if (match === null) throw new Error(`${pattern} is not in ${xml}`);
  return match[1] ?? match[0];
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
