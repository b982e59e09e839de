import type { EntityManager } from '@mikro-orm/postgresql';
import type { StartRung } from '../../workflows/contract/service-vm.ts';
import { Host } from './entities/host.ts';
import type { Service } from './entities/service.ts';
import { ServiceVm } from './entities/service-vm.ts';
import { isFresh } from './hosts.ts';
import { savedStateOf, startOptions } from './start-options.ts';
import type { Store } from './store.ts';

export interface StartForecast {
  /** The rung of the start ladder that is tried first, or that served. */
  readonly rung: StartRung;
  /** When the instance is expected to answer, or when it did; null where nothing like it was started before. */
  readonly readyAt: Date | null;
}

/** How many former starts are looked at: enough to be steady, few enough to follow a host whose load changes. */
const remembered = 20;

/** Foretells a start from what the same rung of the same service took on that host before. */
export async function forecastStart(
  store: Store,
  { serviceVmId, joined }: { readonly serviceVmId: string; readonly joined: boolean },
): Promise<StartForecast> {
  const em = store.fork();
  const serviceVm = await em.findOneOrFail(
    ServiceVm,
    { id: serviceVmId },
    { populate: ['host', 'image', 'service', 'service.image'], populateWhere: 'infer' },
  );
  const rung = serviceVm.rung ?? (await plannedRung(em, store, serviceVm));
  const readyAt = serviceVm.readyAt ?? (await expectedAt(em, serviceVm, rung));
  return { rung: joined ? 'join' : rung, readyAt };
}

/** What its workflow tries first. Before it has a host, that is what the best host would do. */
async function plannedRung(em: EntityManager, store: Store, serviceVm: ServiceVm): Promise<StartRung> {
  const host = serviceVm.host?.getEntity();
  // A row that has a host before its workflow has taken it up was claimed.
  if (host && serviceVm.state === 'requested') return 'claim';
  const service: Service = serviceVm.service.getEntity();
  const image = serviceVm.image?.getEntity() ?? service.image?.getEntity();
  if (!image) return 'cold-boot';
  const nowMs = store.clock.nowMs();
  const hosts = host ? [host] : (await em.find(Host, {})).filter((candidate) => isFresh(candidate, nowMs));
  const rungs = hosts.flatMap(({ fingerprint }) =>
    startOptions(serviceVm.spec, savedStateOf(image), fingerprint)
      .filter(({ memoryMib }) => !host || memoryMib === serviceVm.memoryMib)
      .flatMap((option) => option.rungs),
  );
  return rungs.includes('restore') ? 'restore' : 'cold-boot';
}

async function expectedAt(em: EntityManager, serviceVm: ServiceVm, rung: StartRung): Promise<Date | null> {
  const [row] = await em.execute<{ ms: number | null }[]>(
    `select percentile_cont(0.5) within group (order by ms) as ms from (
       select extract(epoch from ready_at - requested_at) * 1000 as ms from service_vms
       where service_id = ? and (?::uuid is null or host_id = ?::uuid) and rung = ? and purpose = 'serve' and restarts = 0 and ready_at is not null
       order by requested_at desc limit ?::int) lately`,
    [serviceVm.service.id, serviceVm.host?.id ?? null, serviceVm.host?.id ?? null, rung, remembered],
  );
  if (row?.ms == null) return null;
  // One that takes longer than usual is expected at any moment.
  return new Date(Math.max(Date.now(), serviceVm.requestedAt.getTime() + row.ms));
}
