import type { Store } from './store.ts';

export interface StartDuration {
  readonly serviceId: string;
  readonly rung: string;
  readonly quantile: '0.5' | '0.95';
  readonly seconds: number;
}

/** How long starts of the last hour took, from request to ready. */
export async function startDurations(store: Store): Promise<StartDuration[]> {
  const rows = await store.fork().execute<{ service_id: string; rung: string; p50: number; p95: number }[]>(
    `select s.service_id, vm.rung,
            percentile_cont(0.5) within group (order by extract(epoch from vm.ready_at - vm.requested_at)) as p50,
            percentile_cont(0.95) within group (order by extract(epoch from vm.ready_at - vm.requested_at)) as p95
     from service_vms vm join services s on s.id = vm.service_id
     where vm.purpose = 'serve' and vm.rung is not null and vm.restarts = 0 and vm.requested_at > now() - interval '1 hour'
     group by s.service_id, vm.rung`,
  );
  return rows.flatMap(({ service_id: serviceId, rung, p50, p95 }) => [
    { serviceId, rung, quantile: '0.5' as const, seconds: p50 },
    { serviceId, rung, quantile: '0.95' as const, seconds: p95 },
  ]);
}
