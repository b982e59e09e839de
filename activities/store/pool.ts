import { randomUUID } from 'node:crypto';
import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { PoolPlan, PoolRecordActivities } from '../../workflows/contract/activities.ts';
import { serviceVmWorkflowId } from '../../workflows/contract/ids.ts';
import { msPerSecond } from '../../workflows/contract/units.ts';
import { Host } from './entities/host.ts';
import { Service } from './entities/service.ts';
import { ServiceVm } from './entities/service-vm.ts';
import { isFresh, memoryLeftMib } from './hosts.ts';
import { poolTarget } from './pool-demand.ts';
import { savedStateOf, startOptions } from './start-options.ts';
import type { Store } from './store.ts';
import { isStale, retire } from './warm-service-vms.ts';

/** What an instance takes to become warm, as long as no start of its service has shown it. */
const refillGuessMs = 5 * msPerSecond;
/** A service whose warm instance failed is left alone for a while. */
const pauseAfterFailure = '30 seconds';
const demandWindow = '1 hour';

export const createPoolRecordActivities = ({ store }: { readonly store: Store }): PoolRecordActivities => ({
  planPool: ({ hostId }) => planPool(store, hostId),
});

/** Whether there is something to change in a host's pool. Changes nothing itself. */
export async function poolWantsWork(store: Store, hostId: string): Promise<boolean> {
  const em = store.fork();
  const host = await em.findOne(Host, { id: hostId });
  if (!host || !isFresh(host, store.clock.nowMs())) return false;
  const { retire: unwanted, start } = await changeWanted(em, host);
  return unwanted.length > 0 || start !== undefined;
}

/**
 * Decides on the next change of a host's pool and writes it down: what nobody can claim any more, or nobody asks for, is
 * `stopping`; of one new instance there is the row, with its memory reserved. A repeat finds the row again.
 */
async function planPool(store: Store, hostId: string): Promise<PoolPlan> {
  return store.transaction(async (em) => {
    const host = await em.findOne(Host, { id: hostId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!host || !isFresh(host, store.clock.nowMs()) || host.hypervisorProblem !== null) return { retire: [] };
    const wanted = await changeWanted(em, host);
    const unwanted = await em.find(
      ServiceVm,
      { id: { $in: wanted.retire }, state: 'warm' },
      { lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE },
    );
    await retire(em, unwanted);
    const retired = unwanted.map(({ id }) => id);
    if (!wanted.start) return { retire: retired };
    const { begun, option, service } = wanted.start;
    const serviceVmId = begun ?? insertWarm(em, service, host, option!.memoryMib).id;
    return { retire: retired, start: { serviceVmId, serviceId: service.serviceId } };
  });
}

interface ChangeWanted {
  readonly retire: readonly string[];
  readonly start?: StartWanted;
}

interface StartWanted {
  readonly service: Service;
  /** The row of one that was planned and that no workflow has taken up. */
  readonly begun?: string;
  readonly option?: { readonly memoryMib: number };
}

interface PoolMember {
  readonly id: string;
  readonly service_id: string;
  readonly state: 'requested' | 'provisioning' | 'warm';
  readonly stale: boolean;
}

async function changeWanted(em: EntityManager, host: Host): Promise<ChangeWanted> {
  const members = await em.execute<PoolMember[]>(
    `select vm.id, vm.service_id, vm.state, ${isStale} as stale from service_vms vm join services s on s.id = vm.service_id
     where vm.host_id = ? and vm.purpose = 'warm' and vm.state in ('requested', 'provisioning', 'warm') order by vm.requested_at`,
    [host.id],
  );
  const pooled = await em.find(Service, { trashedBy: null, image: { $ne: null } }, { populate: ['image'] });
  const services = pooled.filter(({ spec }) => (spec.poolSize ?? 0) > 0);
  const targets = await targetsOf(em, services);
  const kept = new Map<string, number>();
  const unwanted: string[] = [];
  for (const { id, service_id: serviceId, state, stale } of members) {
    const soFar = kept.get(serviceId) ?? 0;
    if (!stale && soFar < (targets.get(serviceId) ?? 0)) kept.set(serviceId, soFar + 1);
    else if (state === 'warm') unwanted.push(id);
  }
  const start = await startWanted(em, host, members, services, (service) => (targets.get(service.id) ?? 0) - (kept.get(service.id) ?? 0));
  return { retire: unwanted, ...(start ? { start } : {}) };
}

/** One at a time: while an instance is being warmed, no other is begun. */
async function startWanted(
  em: EntityManager,
  host: Host,
  members: readonly PoolMember[],
  services: readonly Service[],
  missing: (service: Service) => number,
): Promise<StartWanted | undefined> {
  if (members.some(({ state }) => state === 'provisioning')) return undefined;
  const begun = members.find(({ state }) => state === 'requested');
  const serviceBegun = begun && services.find(({ id }) => id === begun.service_id);
  if (begun) return serviceBegun && { service: serviceBegun, begun: begun.id };
  const wanted = services.filter((service) => missing(service) > 0).toSorted((a, b) => missing(b) - missing(a));
  if (wanted.length === 0) return undefined;
  const failed = await recentlyFailed(em, host.id);
  const leftMib = await memoryLeftMib(em, host);
  for (const service of wanted) {
    const { spec } = service;
    // Never by the skin of its teeth: a warm instance is as good as the best way to start it.
    const [option] = startOptions(spec, savedStateOf(service.image!.getEntity()), host.fingerprint);
    const fits = option !== undefined && option.memoryMib <= leftMib && spec.vcpus <= host.vcpus;
    if (fits && !failed.has(service.id)) return { service, option };
  }
  return undefined;
}

async function recentlyFailed(em: EntityManager, hostId: string): Promise<ReadonlySet<string>> {
  const rows = await em.execute<{ service_id: string }[]>(
    `select distinct service_id from service_vms
     where host_id = ? and purpose = 'warm' and state = 'failed' and ended_at > now() - ?::interval`,
    [hostId, pauseAfterFailure],
  );
  return new Set(rows.map((row) => row.service_id));
}

/** How many instances of each service are to be warm, by what was asked for lately and how long it took. */
async function targetsOf(em: EntityManager, services: readonly Service[]): Promise<ReadonlyMap<string, number>> {
  if (services.length === 0) return new Map();
  const rows = await em.execute<{ service_id: string; starts: number[] | null; refill: number | null }[]>(
    `select service_id, array_agg(extract(epoch from requested_at)::float8 * 1000 order by requested_at) as starts,
            percentile_cont(0.5) within group (order by extract(epoch from ready_at - requested_at) * 1000)
              filter (where rung in ('restore', 'cold-boot') and restarts = 0) as refill
     from service_vms where purpose = 'serve' and service_id = any(?::uuid[]) and requested_at > now() - ?::interval
     group by service_id`,
    [`{${services.map(({ id }) => id).join(',')}}`, demandWindow],
  );
  const seen = new Map(rows.map((row) => [row.service_id, row]));
  return new Map(
    services.map(({ id, spec }) => {
      const { starts, refill } = seen.get(id) ?? { starts: null, refill: null };
      return [id, poolTarget({ poolSize: spec.poolSize ?? 0, startsAtMs: starts ?? [], refillMs: refill ?? refillGuessMs })];
    }),
  );
}

function insertWarm(em: EntityManager, service: Service, host: Host, memoryMib: number): ServiceVm {
  const id = randomUUID();
  return em.create(ServiceVm, {
    id,
    service,
    spec: service.spec,
    workflowId: serviceVmWorkflowId(id),
    // Nobody asked for it, so no operation tells of it; the one of whoever claims it takes its place.
    startOperationId: id,
    purpose: 'warm',
    state: 'requested',
    shared: false,
    host,
    image: service.image,
    memoryMib,
    vcpus: service.spec.vcpus,
    rung: null,
    bootId: null,
    hostBootId: null,
    endReason: null,
    problem: null,
    readyAt: null,
    endedAt: null,
    requestedAt: new Date(),
  });
}
