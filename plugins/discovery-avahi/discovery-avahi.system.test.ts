/**
 * Real dbus-daemon and avahi-daemon on two machines (network namespaces) joined by a wire. The cloudlet is on the left;
 * on the right a phone without Avahi, or another cloudlet.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { discoveryAdvertise, discoveryBrowse, type Advertisement, type DiscoveredPeer } from '../runtime/extension-points.ts';
import { loadPlugins } from '../runtime/load-plugins.ts';
import type { PluginLog } from '../runtime/plugin.ts';
import type { PluginHost } from '../runtime/plugin-host.ts';
import { recordingLog } from '../runtime/test-support/fake-plugins.ts';
import { createAvahiHost, type AvahiHost } from './test-support/avahi-host.ts';
import { findServices, startMortalPeer } from './test-support/find-services.ts';
import { startTestNetwork, type TestNetwork } from './test-support/test-network.ts';

const type = '_cloudlet._tcp';
const announcement = { type, name: 'box', port: 9999, txt: { encryption: 'disabled' } };

let network: TestNetwork;
let left: AvahiHost;
let right: AvahiHost;
const cleanUps: (() => Promise<void>)[] = [];

/** A cloudlet whose discovery runs over this host's Avahi. */
async function startCloudlet(host: AvahiHost, log: PluginLog = recordingLog().log): Promise<PluginHost> {
  const cloudlet = await loadPlugins({
    configured: [{ name: 'discovery-avahi', options: { dbusAddress: host.dbusAddress, refreshSeconds: 1 } }],
    process: 'api',
    log,
  });
  cleanUps.push(() => cloudlet.stop());
  return cloudlet;
}

const advertise = (cloudlet: PluginHost, changes: object = {}): Promise<Advertisement> =>
  cloudlet.contributions(discoveryAdvertise)[0]!.contribution.advertise({ ...announcement, ...changes });
const peersOf = (cloudlet: PluginHost): readonly DiscoveredPeer[] => cloudlet.contributions(discoveryBrowse)[0]!.contribution.peers();
const reportOf = async (cloudlet: PluginHost): Promise<{ state: string; detail: string }> => (await cloudlet.report())[0]!;
const stateOf = (cloudlet: PluginHost) => async (): Promise<string> => (await reportOf(cloudlet)).state;
const detailOf = (cloudlet: PluginHost) => async (): Promise<string> => (await reportOf(cloudlet)).detail;
const peerNamesOf = (cloudlet: PluginHost) => (): readonly string[] => peersOf(cloudlet).map(({ name }) => name);

const phoneFinds = async (): Promise<readonly string[]> =>
  (await findServices(network.right, type)).map(({ instance }) => instance).toSorted();
const soon = { timeout: 30_000, interval: 50 };

beforeAll(async () => {
  network = await startTestNetwork();
});
afterAll(() => network.stop());

beforeEach(async () => {
  left = await createAvahiHost(network.left, 'box', network.networkInterface);
  right = await createAvahiHost(network.right, 'other', network.networkInterface);
  cleanUps.push(
    () => left.stop(),
    () => right.stop(),
  );
  await left.startBus();
  await left.startAvahi();
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

describe('advertising', () => {
  it('is found by a phone, with the port and exactly one TXT key', async () => {
    const cloudlet = await startCloudlet(left);
    const advertisement = await advertise(cloudlet);
    await expect.poll(phoneFinds, soon).toEqual(['box']);
    expect(advertisement.name).toBe('box');
    expect(await findServices(network.right, type)).toEqual([
      { instance: 'box', host: 'box.local', port: 9999, txt: ['encryption=disabled'], address: network.left.address },
    ]);
    expect(await left.browse(type)).toEqual([
      `=;${network.networkInterface};IPv4;box;${type};local;box.local;${network.left.address};9999;"encryption=disabled"`,
    ]);
    expect(await reportOf(cloudlet)).toMatchObject({ state: 'running', detail: '' });
  });

  it('ends when withdrawn, and gives back what it took from Avahi', async () => {
    const cloudlet = await startCloudlet(left);
    // More often than Avahi has objects for one client.
    for (let round = 0; round < 6; round += 1) {
      const advertisement = await advertise(cloudlet);
      await expect.poll(stateOf(cloudlet), soon).toBe('running');
      await advertisement.withdraw();
    }
    await expect.poll(phoneFinds, soon).toEqual([]);
    await advertise(cloudlet);
    await expect.poll(phoneFinds, soon).toEqual(['box']);
    await cloudlet.stop();
    await expect.poll(phoneFinds, soon).toEqual([]);
  });

  it('takes the next name, without a space, when another cloudlet on this machine has it', async () => {
    await advertise(await startCloudlet(left));
    await expect.poll(phoneFinds, soon).toEqual(['box']);
    const second = await advertise(await startCloudlet(left), { port: 9997 });
    const third = await advertise(await startCloudlet(left), { port: 9996 });
    await expect.poll(phoneFinds, soon).toEqual(['box', 'box-2', 'box-3']);
    expect([second.name, third.name].toSorted()).toEqual(['box-2', 'box-3']);
  });

  it('takes the next name when another machine has it, and the first one back when it is free again', async () => {
    await right.startBus();
    await right.startAvahi();
    const there = await startCloudlet(right);
    await advertise(there);
    await expect.poll(stateOf(there), soon).toBe('running');
    const here = await startCloudlet(left);
    const advertisement = await advertise(here);
    await expect.poll(() => advertisement.name, soon).toBe('box-2');
    await expect.poll(stateOf(here), soon).toBe('running');
    expect(advertisement.name).toBe('box-2');

    await there.stop();
    await left.killAvahi();
    await left.startAvahi();
    await expect.poll(async () => [advertisement.name, await stateOf(here)()], soon).toEqual(['box', 'running']);
  });

  it('follows the host to another name', async () => {
    await advertise(await startCloudlet(left));
    await expect.poll(phoneFinds, soon).toEqual(['box']);
    await left.callServer('SetHostName', 'string:crate');
    await expect.poll(async () => (await findServices(network.right, type))[0]?.host, soon).toBe('crate.local');
  });

  it('comes back with a network interface that was unplugged', async () => {
    const cloudlet = await startCloudlet(left);
    await advertise(cloudlet, { networkInterface: network.networkInterface });
    await expect.poll(phoneFinds, soon).toEqual(['box']);
    await network.replug();
    await expect.poll(phoneFinds, soon).toEqual(['box']);
  });

  it('keeps to one network interface when told to, and says which one is missing', async () => {
    const cloudlet = await startCloudlet(left);
    await advertise(cloudlet, { networkInterface: network.networkInterface });
    await expect.poll(phoneFinds, soon).toEqual(['box']);
    await advertise(cloudlet, { name: 'lost', networkInterface: 'wlan7' });
    await expect.poll(detailOf(cloudlet), soon).toContain('wlan7');
    expect(await reportOf(cloudlet)).toMatchObject({ state: 'degraded', detail: expect.stringContaining('No such device') });
    await expect.poll(phoneFinds, soon).toEqual(['box']);
  });

  it("hands on Avahi's words where it refuses", async () => {
    const cloudlet = await startCloudlet(left);
    await advertise(cloudlet, { type: 'nonsense' });
    await expect.poll(detailOf(cloudlet), soon).toContain('Avahi does not take the announcement of "box": Invalid service type');
  });
});

describe('faults', () => {
  it('announces again when avahi-daemon was killed and started', async () => {
    const cloudlet = await startCloudlet(left);
    await advertise(cloudlet);
    await expect.poll(phoneFinds, soon).toEqual(['box']);
    await left.killAvahi();
    await expect.poll(stateOf(cloudlet), soon).toBe('degraded');
    await expect.poll(detailOf(cloudlet), soon).toContain('avahi-daemon is not running');
    await left.startAvahi();
    await expect.poll(stateOf(cloudlet), soon).toBe('running');
    await expect.poll(phoneFinds, soon).toEqual(['box']);
  });

  it('announces again when dbus-daemon was killed and both were started', async () => {
    const cloudlet = await startCloudlet(left);
    await advertise(cloudlet);
    await expect.poll(phoneFinds, soon).toEqual(['box']);
    await left.killBus();
    await expect.poll(stateOf(cloudlet), soon).toBe('degraded');
    await expect.poll(detailOf(cloudlet), soon).toContain('D-Bus cannot be used');
    await left.killAvahi();
    await left.startBus();
    await left.startAvahi();
    await expect.poll(stateOf(cloudlet), soon).toBe('running');
    await expect.poll(phoneFinds, soon).toEqual(['box']);
  });

  it('starts without D-Bus and without Avahi, and announces when they come', async () => {
    const cloudlet = await startCloudlet(right);
    const advertisement = await advertise(cloudlet);
    expect(await reportOf(cloudlet)).toMatchObject({ state: 'degraded' });
    await expect.poll(detailOf(cloudlet), soon).toContain('ENOENT');
    await right.startBus();
    await expect.poll(detailOf(cloudlet), soon).toContain('avahi-daemon is not running');
    await right.startAvahi();
    await expect.poll(stateOf(cloudlet), soon).toBe('running');
    expect(advertisement.name).toBe('box');
    expect(await right.browse(type)).toHaveLength(1);
  });

  it('withdraws and stops when nothing is there', async () => {
    const { log, lines } = recordingLog();
    const cloudlet = await startCloudlet(right, log);
    const advertisement = await advertise(cloudlet);
    await advertisement.withdraw();
    await cloudlet.stop();
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('stops although D-Bus hangs', async () => {
    const { log, lines } = recordingLog();
    left.freezeBus();
    const cloudlet = await startCloudlet(left, log);
    await advertise(cloudlet);
    await cloudlet.stop();
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('stops although Avahi hangs', async () => {
    const { log, lines } = recordingLog();
    const cloudlet = await startCloudlet(left, log);
    await advertise(cloudlet);
    await expect.poll(stateOf(cloudlet), soon).toBe('running');
    left.freezeAvahi();
    await cloudlet.stop();
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('browsing', () => {
  it('sees another cloudlet come and go, and leaves out its own', async () => {
    await right.startBus();
    await right.startAvahi();
    const here = await startCloudlet(left);
    await advertise(here, { name: 'here' });
    const there = await startCloudlet(right);
    const advertisement = await advertise(there, { name: 'there', port: 9998, txt: { encryption: 'enabled' } });
    await expect.poll(peerNamesOf(here), soon).toEqual(['there']);
    await expect.poll(peerNamesOf(there), soon).toEqual(['here']);
    const { networkInterface } = network;
    expect(peersOf(here)).toEqual([
      { name: 'there', host: 'other.local', address: network.right.address, port: 9998, txt: { encryption: 'enabled' }, networkInterface },
    ]);
    expect(peersOf(there)).toMatchObject([{ name: 'here', host: 'box.local' }]);
    await advertisement.withdraw();
    await expect.poll(peerNamesOf(here), soon).toEqual([]);
  });

  it('sees its peers again after Avahi was killed and started', async () => {
    const here = await startCloudlet(left);
    const neighbour = await startCloudlet(left);
    await advertise(neighbour, { name: 'neighbour' });
    await expect.poll(peerNamesOf(here), soon).toEqual(['neighbour']);
    await left.killAvahi();
    await expect.poll(peerNamesOf(here), soon).toEqual([]);
    await left.startAvahi();
    await expect.poll(peerNamesOf(here), soon).toEqual(['neighbour']);
  });

  it('forgets a peer that vanished without a goodbye', async () => {
    const here = await startCloudlet(left);
    const peer = await startMortalPeer(network.right, type, 'mortal', 9990, 2);
    try {
      await expect.poll(peerNamesOf(here), soon).toEqual(['mortal']);
    } finally {
      await peer.kill();
    }
    await expect.poll(peerNamesOf(here), soon).toEqual([]);
  });
});
