import { randomInt, randomUUID } from 'node:crypto';
import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { ServiceSpec } from '../../workflows/contract/service.ts';
import type { PortMapping } from '../../workflows/contract/service-vm.ts';
import type { Host } from './entities/host.ts';
import { PortReservation } from './entities/port-reservation.ts';
import type { ServiceVm } from './entities/service-vm.ts';
import type { Store } from './store.ts';

/** Host ports that may be given to guests, both ends included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Gives an instance a host port for each port of its service. Repeating it answers those that it holds. */
export async function reservePorts(
  em: EntityManager,
  serviceVm: ServiceVm,
  host: Host,
  spec: ServiceSpec,
  range: PortRange,
): Promise<PortMapping[]> {
  const held = await em.find(PortReservation, { serviceVm: serviceVm.id }, { orderBy: { position: 'asc' } });
  if (held.length > 0) return held.map(toMapping);
  const taken = await takenPorts(em, host.id);
  const reservations = spec.ports.map(({ name, protocol, guestPort }, position) => {
    const hostPort = pickPort(range, (port) => taken.has(`${protocol}:${port}`));
    taken.add(`${protocol}:${hostPort}`);
    return em.create(PortReservation, { id: randomUUID(), host, serviceVm, position, name, protocol, guestPort, hostPort });
  });
  await em.flush();
  return reservations.map(toMapping);
}

async function takenPorts(em: EntityManager, hostId: string): Promise<Set<string>> {
  const rows = await em.execute<{ protocol: string; host_port: number }[]>(
    'select protocol, host_port from port_reservations where host_id = ?',
    [hostId],
  );
  return new Set(rows.map(({ protocol, host_port: port }) => `${protocol}:${port}`));
}

const toMapping = ({ name, protocol, guestPort, hostPort }: PortReservation): PortMapping => ({ name, protocol, guestPort, hostPort });

/**
 * A port at random, so that a client with an old address rarely meets another service there.
 * @throws CloudletError `capacity-exhausted`
 */
export function pickPort({ first, last }: PortRange, isTaken: (port: number) => boolean): number {
  const size = last - first + 1;
  const start = randomInt(size);
  for (let offset = 0; offset < size; offset += 1) {
    const port = first + ((start + offset) % size);
    if (!isTaken(port)) return port;
  }
  throw new CloudletError(
    'capacity-exhausted',
    `All ${size} host ports for guests (${first}-${last}) are taken. Stop a Service VM, or widen the range.`,
    {
      resource: 'port',
      needed: 1,
      free: 0,
    },
  );
}

/** Takes other ports for those that something else on the host listens on. @returns all ports of the instance */
export async function replacePorts(
  store: Store,
  serviceVmId: string,
  busy: readonly PortMapping[],
  range: PortRange,
): Promise<PortMapping[]> {
  return store.transaction(async (em) => {
    const held = await em.find(
      PortReservation,
      { serviceVm: serviceVmId },
      { orderBy: { position: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE },
    );
    for (const reservation of held) {
      if (!busy.some(({ protocol, hostPort }) => protocol === reservation.protocol && hostPort === reservation.hostPort)) continue;
      const taken = await takenPorts(em, reservation.host.id);
      reservation.hostPort = pickPort(range, (port) => taken.has(`${reservation.protocol}:${port}`));
      await em.flush();
    }
    return held.map(toMapping);
  });
}

/** Ports of an instance, the main one first. */
export async function portsOf(em: EntityManager, serviceVmId: string): Promise<PortMapping[]> {
  const held = await em.find(PortReservation, { serviceVm: serviceVmId }, { orderBy: { position: 'asc' } });
  return held.map(toMapping);
}
