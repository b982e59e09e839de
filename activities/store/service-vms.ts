import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { PublishReady } from '../../workflows/contract/activities.ts';
import { CloudletError, toProblem } from '../../workflows/contract/errors.ts';
import {
  canFollow,
  type EndReason,
  type PortMapping,
  type ServiceVmOutcome,
  type ServiceVmReady,
  type ServiceVmState,
} from '../../workflows/contract/service-vm.ts';
import { Lease } from './entities/lease.ts';
import { PortReservation } from './entities/port-reservation.ts';
import { ServiceVm } from './entities/service-vm.ts';
import { appendEvent } from './events.ts';
import { beginLeases, countUsers } from './leases.ts';
import { settleOperations } from './operations.ts';
import type { PageStart } from './page-start.ts';
import { portsOf } from './ports.ts';
import type { Store } from './store.ts';

/**
 * Every change of state goes through here.
 * @throws CloudletError `state-conflict`
 */
export function moveTo(serviceVm: ServiceVm, state: ServiceVmState): void {
  if (serviceVm.state === state) return;
  if (!canFollow(serviceVm.state, state)) {
    throw new CloudletError('state-conflict', `The Service VM is ${serviceVm.state} and cannot become ${state}.`, {
      state: serviceVm.state,
    });
  }
  serviceVm.state = state;
}

export async function lockServiceVm(em: EntityManager, serviceVmId: string): Promise<ServiceVm> {
  const serviceVm = await em.findOne(ServiceVm, { id: serviceVmId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!serviceVm) throw new CloudletError('not-found', `There is no Service VM ${serviceVmId}.`);
  return serviceVm;
}

/** Says that the guest answers: clients are given its address from now on. Repeating it changes nothing. */
export async function publishReady(store: Store, ready: PublishReady): Promise<ServiceVmReady> {
  return store.transaction(async (em) => {
    const serviceVm = await lockServiceVm(em, ready.serviceVmId);
    const ports = await portsOf(em, serviceVm.id);
    const answer: ServiceVmReady = { serviceVmId: serviceVm.id, rung: ready.rung, ports };
    if (serviceVm.state === 'ready' && serviceVm.bootId === ready.bootId) return answer;
    moveTo(serviceVm, 'ready');
    const host = await serviceVm.host?.loadOrFail();
    Object.assign(serviceVm, {
      rung: ready.rung,
      bootId: ready.bootId,
      hostBootId: host?.bootId ?? null,
      vncPort: ready.vncPort ?? null,
      readyAt: new Date(),
    });
    await em.flush();
    await beginLeases(em, serviceVm.id, store.clock.nowMs());
    await settleOperations(em, serviceVm.workflowId, ['service-vm.start'], {
      state: 'succeeded',
      result: { serviceVmId: serviceVm.id, rung: ready.rung },
      reached: ready.reached,
    });
    appendEvent(em, {
      type: 'service-vm.ready',
      subject: serviceVm.id,
      operationId: serviceVm.startOperationId,
      audience: 'owner',
      data: { rung: ready.rung },
    });
    return answer;
  });
}

/** The guest is gone and comes back by the restart policy: no address is given until it answers again. */
export async function publishRestarting(store: Store, serviceVmId: string, restarts: number, reason: EndReason): Promise<void> {
  await store.transaction(async (em) => {
    const serviceVm = await lockServiceVm(em, serviceVmId);
    if (serviceVm.state === 'provisioning') return;
    moveTo(serviceVm, 'provisioning');
    serviceVm.restarts = restarts;
    appendEvent(em, { type: 'service-vm.restarting', subject: serviceVmId, audience: 'owner', data: { reason, restarts } });
  });
}

/** Says that the instance ends: nobody can join it from now on. Repeating it changes nothing. */
export async function publishStopping(store: Store, serviceVmId: string, reason: EndReason): Promise<void> {
  await store.transaction(async (em) => {
    const serviceVm = await lockServiceVm(em, serviceVmId);
    if (['stopping', 'stopped', 'failed'].includes(serviceVm.state)) return;
    await stopping(em, serviceVm, reason);
  });
}

/** Ends an instance only if it has no user. @returns whether it is ending */
export async function retireIfUnused(store: Store, serviceVmId: string): Promise<boolean> {
  return store.transaction(async (em) => {
    const serviceVm = await lockServiceVm(em, serviceVmId);
    if (['stopping', 'stopped', 'failed'].includes(serviceVm.state)) return true;
    if ((await countUsers(em, serviceVmId)) > 0) return false;
    await stopping(em, serviceVm, 'last-user-left');
    return true;
  });
}

async function stopping(em: EntityManager, serviceVm: ServiceVm, reason: EndReason): Promise<void> {
  moveTo(serviceVm, 'stopping');
  serviceVm.endReason = reason;
  appendEvent(em, { type: 'service-vm.stopping', subject: serviceVm.id, audience: 'owner', data: { reason } });
}

/**
 * The last word on an instance: its leases and whatever it still holds go, and whoever waits for an operation of it is
 * told how it ended. Repeating it changes nothing.
 */
export async function recordEnd(store: Store, serviceVmId: string, outcome: ServiceVmOutcome): Promise<void> {
  await store.transaction(async (em) => {
    const serviceVm = await em.findOne(ServiceVm, { id: serviceVmId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!serviceVm || serviceVm.state === 'stopped' || serviceVm.state === 'failed') return;
    if (outcome.state === 'stopped') moveTo(serviceVm, 'stopping');
    moveTo(serviceVm, outcome.state);
    const error = outcome.error && new CloudletError(outcome.error.code, outcome.error.detail, outcome.error.facts);
    Object.assign(serviceVm, {
      endReason: outcome.reason,
      endedAt: new Date(),
      problem: error ? toProblem(error) : null,
      memoryMib: 0,
      vcpus: 0,
    });
    await em.nativeDelete(Lease, { serviceVm: serviceVmId });
    await em.nativeDelete(PortReservation, { serviceVm: serviceVmId });
    await em.flush();
    const unfinished = error ?? new CloudletError('cancelled', 'The Service VM was stopped before it was ready.');
    await settleOperations(em, serviceVm.workflowId, ['service-vm.start'], {
      state: error ? 'failed' : 'cancelled',
      error: unfinished,
    });
    await settleOperations(em, serviceVm.workflowId, ['service-vm.stop'], { state: 'succeeded', result: { serviceVmId } });
    appendEvent(em, {
      type: `service-vm.${outcome.state}`,
      subject: serviceVmId,
      operationId: serviceVm.startOperationId,
      audience: 'owner',
      data: { reason: outcome.reason, ...(error ? { problem: toProblem(error) } : {}) },
    });
  });
}

/** An instance as others may see it. */
export interface ServiceVmView {
  readonly serviceVm: ServiceVm;
  readonly serviceId: string;
  readonly ports: readonly PortMapping[];
  readonly users: number;
  /** IPv4 address of its host, once it has one. */
  readonly address: string | null;
}

export async function findServiceVm(store: Store, serviceVmId: string): Promise<ServiceVmView | undefined> {
  const em = store.fork();
  const found = em.findOne(ServiceVm, { id: serviceVmId }, { populate: ['service', 'host'] });
  const [serviceVm, ports, users] = await Promise.all([found, portsOf(em, serviceVmId), countUsers(em, serviceVmId)]);
  return serviceVm ? asView(serviceVm, ports, users) : undefined;
}

export async function listServiceVms(
  store: Store,
  filter: { states?: readonly ServiceVmState[]; serviceId?: string; before?: PageStart; limit: number },
): Promise<ServiceVmView[]> {
  const em = store.fork();
  const found = await em.find(
    ServiceVm,
    {
      purpose: { $in: ['serve', 'warm'] },
      ...(filter.states ? { state: { $in: [...filter.states] } } : {}),
      ...(filter.serviceId ? { service: { serviceId: filter.serviceId } } : {}),
      ...(filter.before
        ? { $or: [{ requestedAt: { $lt: filter.before.at } }, { requestedAt: filter.before.at, id: { $lt: filter.before.id } }] }
        : {}),
    },
    { populate: ['service', 'host'], orderBy: { requestedAt: 'desc', id: 'desc' }, limit: filter.limit },
  );
  return Promise.all(found.map((serviceVm) => viewOf(em, serviceVm)));
}

export async function viewOf(em: EntityManager, serviceVm: ServiceVm): Promise<ServiceVmView> {
  const [ports, users] = await Promise.all([portsOf(em, serviceVm.id), countUsers(em, serviceVm.id)]);
  return asView(serviceVm, ports, users);
}

const asView = (serviceVm: ServiceVm, ports: readonly PortMapping[], users: number): ServiceVmView => ({
  serviceVm,
  serviceId: serviceVm.service.getEntity().serviceId,
  ports,
  users,
  address: serviceVm.host?.getEntity().address ?? null,
});
