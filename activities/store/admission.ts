import { randomUUID } from 'node:crypto';
import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { serviceVmWorkflowId } from '../../workflows/contract/ids.ts';
import { joinableServiceVmStates, type ServiceVmState } from '../../workflows/contract/service-vm.ts';
import type { Service } from './entities/service.ts';
import { ServiceVm } from './entities/service-vm.ts';
import { appendEvent } from './events.ts';
import { once, type Idempotency } from './idempotency.ts';
import { countUsers, grantLease, type LeaseDialect } from './leases.ts';
import { createOperation } from './operations.ts';
import { requireService } from './services.ts';
import type { Store } from './store.ts';
import { claimWarm } from './warm-service-vms.ts';

export interface StartRequest {
  /** Name of the service, e.g. `cloudlet.sample.ocr`. */
  readonly serviceId: string;
  /** `principalName` of who asks: users are counted by it. */
  readonly holder: string;
  /** Whether an instance that others use will do. */
  readonly join: boolean;
  readonly dialect: LeaseDialect;
  readonly idempotency?: Idempotency;
}

export interface Admission {
  readonly serviceVmId: string;
  readonly serviceId: string;
  readonly workflowId: string;
  readonly operationId: string;
  readonly leaseId: string;
  readonly leaseSeconds: number;
  /** Whether the instance was another user's already. */
  readonly joined: boolean;
  /** Whether it is a warm one, which this user claimed. */
  readonly claimed: boolean;
  readonly state: ServiceVmState;
}

/**
 * Admits a user to a service, in one transaction: finds an instance with room, claims a warm one, or writes the row
 * of a new one, and leases it to the user. Whoever asks next finds that row, and waits beside the first. Starting the new instance is
 * the workflow's work; nothing is reserved here.
 * @throws CloudletError `not-found`, `state-conflict` (no image yet), `capacity-exhausted` (users)
 */
export async function admitStart(store: Store, request: StartRequest): Promise<Admission> {
  return store.transaction((em) => admitOnce(em, request, () => placeUser(em, store, request)));
}

async function placeUser(em: EntityManager, store: Store, request: StartRequest): Promise<Admission> {
  const isShareable = ({ spec }: Service) => request.join && spec.sharing === 'join';
  const service = await findStartable(em, request.serviceId, isShareable);
  const shareable = isShareable(service);
  const found = shareable ? await findJoinable(em, service, request.holder) : undefined;
  const claim = { holder: request.holder, shared: shareable, nowMs: store.clock.nowMs() };
  const claimed = found ? undefined : await claimWarm(em, service, claim);
  const serviceVm = found ?? claimed ?? insertRequested(em, service, request, shareable);
  const lease = await grantLease(em, {
    serviceVmId: serviceVm.id,
    holder: request.holder,
    dialect: request.dialect,
    leaseSeconds: service.spec.leaseSeconds,
    nowMs: store.clock.nowMs(),
  });
  if (!found) {
    appendEvent(em, {
      type: 'service-vm.requested',
      subject: serviceVm.id,
      operationId: serviceVm.startOperationId,
      audience: 'owner',
      data: { serviceId: request.serviceId },
    });
  }
  return describe(serviceVm, service, lease.id, { joined: found !== undefined, claimed: claimed !== undefined });
}

export interface JoinRequest extends Pick<StartRequest, 'holder' | 'dialect' | 'idempotency'> {
  readonly serviceVmId: string;
}

/**
 * Admits a user to one instance that the user knows of.
 * @throws CloudletError `not-found`, `state-conflict` when it ends or is somebody's own, `capacity-exhausted` (users)
 */
export async function admitJoin(store: Store, request: JoinRequest): Promise<Admission> {
  return store.transaction((em) => admitOnce(em, request, () => joinUser(em, store, request)));
}

async function joinUser(em: EntityManager, store: Store, { serviceVmId, holder, dialect }: JoinRequest): Promise<Admission> {
  const serviceVm = await em.findOne(ServiceVm, { id: serviceVmId, purpose: 'serve' }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!serviceVm) throw new CloudletError('not-found', `There is no Service VM ${serviceVmId}.`);
  if (!serviceVm.shared) throw new CloudletError('forbidden', "This Service VM is somebody's own. Start one of your own.");
  if (!isJoinable(serviceVm.state)) {
    throw new CloudletError('state-conflict', `The Service VM is ${serviceVm.state}. Start another.`, { state: serviceVm.state });
  }
  const service = await serviceVm.service.loadOrFail();
  const { maximumUsers, leaseSeconds } = service.spec;
  if ((await countUsers(em, serviceVm.id)) >= maximumUsers) throw usersExhausted(service);
  const lease = await grantLease(em, { serviceVmId, holder, dialect, leaseSeconds, nowMs: store.clock.nowMs() });
  return describe(serviceVm, service, lease.id, { joined: true, claimed: false });
}

/** A repeat gets the same instance and the same lease, in the state in which the instance is now. */
async function admitOnce(
  em: EntityManager,
  { holder, idempotency }: Pick<StartRequest, 'holder' | 'idempotency'>,
  admit: () => Promise<Admission>,
): Promise<Admission> {
  const { answer, repeated } = await once(em, holder, idempotency, admit);
  if (!repeated) return answer;
  const serviceVm = await em.findOne(ServiceVm, { id: answer.serviceVmId });
  return { ...answer, state: serviceVm?.state ?? 'stopped' };
}

const isJoinable = (state: ServiceVmState): boolean => (joinableServiceVmStates as readonly string[]).includes(state);

const usersExhausted = ({ serviceId, spec }: Service): CloudletError =>
  new CloudletError(
    'capacity-exhausted',
    `The service "${serviceId}" takes ${spec.maximumUsers} users at once, and all places are taken. Ask again later.`,
    { resource: 'users', needed: 1, free: 0, retryAfterSeconds: 30 },
  );

const describe = (serviceVm: ServiceVm, service: Service, leaseId: string, how: Pick<Admission, 'joined' | 'claimed'>): Admission => ({
  serviceVmId: serviceVm.id,
  serviceId: service.serviceId,
  workflowId: serviceVm.workflowId,
  operationId: serviceVm.startOperationId,
  leaseId,
  leaseSeconds: service.spec.leaseSeconds,
  ...how,
  state: serviceVm.state,
});

/** One at a time where users share an instance, so that two hundred phones at once start one and not two hundred. */
async function findStartable(em: EntityManager, serviceId: string, isShareable: (known: Service) => boolean): Promise<Service> {
  const service = await requireService(em, serviceId, isShareable);
  if (!service.image) {
    throw new CloudletError(
      'state-conflict',
      `The service "${serviceId}" has no image yet: it is still being built, its build failed, or nobody gave it one.`,
      {
        state: 'unbuilt',
        retryAfterSeconds: 30,
      },
    );
  }
  return service;
}

/** An instance that takes this user and has the ports that the service has by now: one that the user has already, else the oldest with room, those that answer first. */
async function findJoinable(em: EntityManager, service: Service, holder: string): Promise<ServiceVm | undefined> {
  const candidates = await em.execute<{ id: string; users: string; held: boolean }[]>(
    `select vm.id, count(distinct l.holder) as users, coalesce(bool_or(l.holder = ?), false) as held
     from service_vms vm left join leases l on l.service_vm_id = vm.id
     where vm.service_id = ? and vm.shared and vm.purpose = 'serve' and vm.state = any(?::text[]) and vm.spec -> 'ports' = ?::jsonb
     group by vm.id
     order by held desc, (vm.state = 'ready') desc, vm.requested_at`,
    [holder, service.id, `{${joinableServiceVmStates.join(',')}}`, JSON.stringify(service.spec.ports)],
  );
  for (const candidate of candidates) {
    if (!candidate.held && Number(candidate.users) >= service.spec.maximumUsers) continue;
    // Its workflow may be ending it at this moment: only the row, read under its lock, tells.
    const serviceVm = await em.findOne(ServiceVm, { id: candidate.id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (serviceVm && isJoinable(serviceVm.state)) return serviceVm;
  }
  if (candidates.length > 0 && service.spec.whenFull === 'refuse') throw usersExhausted(service);
  return undefined;
}

function insertRequested(em: EntityManager, service: Service, request: StartRequest, shared: boolean): ServiceVm {
  const id = randomUUID();
  const operation = createOperation(em, {
    kind: 'service-vm.start',
    workflowId: serviceVmWorkflowId(id),
    subject: id,
    principal: request.holder,
  });
  return em.create(ServiceVm, {
    id,
    service,
    spec: service.spec,
    workflowId: operation.workflowId,
    startOperationId: operation.id,
    state: 'requested',
    shared,
    host: null,
    image: null,
    rung: null,
    bootId: null,
    hostBootId: null,
    vncPort: null,
    purpose: 'serve',
    endReason: null,
    problem: null,
    readyAt: null,
    endedAt: null,
    requestedAt: new Date(),
  });
}
