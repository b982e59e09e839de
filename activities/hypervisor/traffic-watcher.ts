import { msPerSecond } from '../../workflows/contract/units.ts';
import { allowEgress, egressUid } from '../network/egress.ts';
import { servedInstances } from '../store/instances.ts';
import { endIdle, extendUsed } from '../store/leases.ts';
import type { HostAgentOptions, Loop } from './host-agent.ts';
import { domainName } from './host-context.ts';
import { networkPackets, pathOfNetworkDevice } from './virtio-queue.ts';
import { activeFlows, parseUsernet } from './usernet.ts';

const everyMs = 5 * msPerSecond;

/** What was last seen of a guest's traffic. */
interface Seen {
  readonly packets: string | undefined;
  readonly atMs: number;
}

/**
 * Sees who is used: a guest with a connection, or whose network card moved a packet since the last look. Stock phones
 * and browsers never renew a lease, so their traffic does; and a guest that nobody talks to loses its users.
 */
export async function watchTraffic(options: HostAgentOptions, loop: Loop): Promise<void> {
  const { hostId, cloudletId, store } = options;
  const seen = new Map<string, Seen>();
  await loop('traffic', everyMs, async () => {
    const nowMs = store.clock.nowMs();
    const served = await servedInstances(store, hostId);
    const used: string[] = [];
    for (const { serviceVmId, spec, ports } of served) {
      const idleMs = spec.idleSeconds * msPerSecond;
      const uid = egressUid(spec, ports);
      // Somebody may have flushed the host's rules, and without them the guest would reach everything.
      if (uid !== undefined) await allowEgress(cloudletId, uid, spec);
      const traffic = await trafficOf(options, serviceVmId);
      const last = seen.get(serviceVmId);
      if (traffic.flows > 0 || !last || traffic.packets !== last.packets) {
        seen.set(serviceVmId, { packets: traffic.packets, atMs: nowMs });
        if (last) used.push(serviceVmId);
      } else if (nowMs - last.atMs > idleMs) {
        await endIdle(store, serviceVmId, idleMs);
      }
    }
    await extendUsed(store, used);
    const known = new Set(served.map(({ serviceVmId }) => serviceVmId));
    for (const serviceVmId of seen.keys()) if (!known.has(serviceVmId)) seen.delete(serviceVmId);
  });
}

async function trafficOf(options: HostAgentOptions, serviceVmId: string): Promise<{ flows: number; packets: string | undefined }> {
  const { hypervisor } = options;
  const name = domainName(options, serviceVmId);
  const flows = activeFlows(parseUsernet(await hypervisor.monitor(name, 'info usernet'))).length;
  const device = pathOfNetworkDevice(await hypervisor.monitor(name, 'info virtio'));
  return { flows, packets: device ? await networkPackets((command) => hypervisor.monitor(name, command), device) : undefined };
}
