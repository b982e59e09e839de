import { msPerSecond } from '../../workflows/contract/units.ts';
import { filterGuests, filteredUid } from '../network/egress.ts';
import { servedInstances, type ServedInstance } from '../store/instances.ts';
import { endIdle, extendUsed } from '../store/leases.ts';
import type { HostAgentOptions, Loop } from './host-agent.ts';
import { domainName } from './host-context.ts';
import { networkPackets, pathOfNetworkDevice } from './virtio-queue.ts';
import { activeFlows, parseUsernet } from './usernet.ts';

const everyMs = 5 * msPerSecond;

/** What was last seen of a guest's traffic, and since when nothing moved. */
interface Seen {
  readonly packets: string | undefined;
  readonly sinceMs: number;
}

/**
 * Sees who is used: a guest with a connection, or whose network card moved a packet since the last look. Stock phones
 * and browsers never renew a lease, so their traffic does; and a guest that nobody talks to loses its users.
 */
export async function watchTraffic(options: HostAgentOptions, loop: Loop): Promise<void> {
  const { hostId, store, log } = options;
  const seen = new Map<string, Seen>();

  /** @returns whether somebody used the guest since the last look */
  const look = async (instance: ServedInstance): Promise<boolean> => {
    const { serviceVmId, spec } = instance;
    const nowMs = store.clock.nowMs();
    const { flows, packets } = await trafficOf(options, serviceVmId);
    const last = seen.get(serviceVmId);
    if (!last || flows > 0 || packets !== last.packets) {
      seen.set(serviceVmId, { packets, sinceMs: nowMs });
      return last !== undefined;
    }
    const idleMs = spec.idleSeconds * msPerSecond;
    if (nowMs - last.sinceMs > idleMs) await endIdle(store, serviceVmId, idleMs);
    return false;
  };

  await loop('traffic', everyMs, async () => {
    const served = await servedInstances(store, hostId);
    await keepFiltered(options, served);
    // A guest may end while it is looked at; that must not cost the others their leases.
    const used = await Promise.all(
      served.map((instance) =>
        look(instance).catch((error: unknown) => {
          log.info({ serviceVmId: instance.serviceVmId, error }, 'The traffic of a guest could not be seen');
          return false;
        }),
      ),
    );
    await extendUsed(
      store,
      served.filter((_, index) => used[index]).map(({ serviceVmId }) => serviceVmId),
    );
    const known = new Set(served.map(({ serviceVmId }) => serviceVmId));
    for (const serviceVmId of seen.keys()) if (!known.has(serviceVmId)) seen.delete(serviceVmId);
  });
}

/** Somebody may have flushed the host's rules, and without them guests would reach everything. */
async function keepFiltered({ domainPrefix, log }: HostAgentOptions, served: readonly ServedInstance[]): Promise<void> {
  const guests = served.flatMap(({ ports, spec: { egress } }) => {
    const uid = filteredUid(ports);
    return uid === undefined ? [] : [{ uid, egress }];
  });
  if (guests.length === 0) return;
  await filterGuests(domainPrefix, guests).catch((error: unknown) => log.warn({ error }, 'What guests may reach could not be seen to'));
}

async function trafficOf(options: HostAgentOptions, serviceVmId: string): Promise<{ flows: number; packets: string | undefined }> {
  const { hypervisor } = options;
  const name = domainName(options, serviceVmId);
  const flows = activeFlows(parseUsernet(await hypervisor.monitor(name, 'info usernet'))).length;
  const device = pathOfNetworkDevice(await hypervisor.monitor(name, 'info virtio'));
  return { flows, packets: device ? await networkPackets((command) => hypervisor.monitor(name, command), device) : undefined };
}
