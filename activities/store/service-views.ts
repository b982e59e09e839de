import type { Static } from 'typebox';
import type { HypervisorFingerprint } from '../../workflows/contract/cloudlet.ts';
import type { ServiceView } from '../../workflows/contract/http.ts';
import type { ServiceSpec } from '../../workflows/contract/service.ts';
import type { Store } from './store.ts';

export type Service = Static<typeof ServiceView>;

interface ServiceRow {
  readonly spec: ServiceSpec;
  /** As PostgreSQL writes it. */
  readonly updated_at: string;
  readonly number: number | null;
  readonly saved_under: HypervisorFingerprint | null;
}

const select = `select s.spec, s.updated_at, i.number, i.saved_under from services s left join service_images i on i.id = s.image_id`;

function toView({ spec, updated_at: updatedAt, number, saved_under: savedUnder }: ServiceRow): Service {
  const joinable: Service['startsBy'] = spec.sharing === 'join' ? (['join'] as const) : [];
  const guestRungs: Service['startsBy'] = savedUnder ? (['restore', 'cold-boot'] as const) : (['cold-boot'] as const);
  return {
    ...spec,
    imageVersion: number,
    startable: number !== null,
    startsBy: number === null ? [] : [...joinable, ...guestRungs],
    updatedAt: new Date(updatedAt).toISOString(),
  };
}

/** Services as everybody may see them, by name. */
export async function listServiceViews(store: Store): Promise<Service[]> {
  const rows = await store.fork().execute<ServiceRow[]>(`${select} order by s.service_id`);
  return rows.map(toView);
}

export async function findServiceView(store: Store, serviceId: string): Promise<Service | undefined> {
  const [row] = await store.fork().execute<ServiceRow[]>(`${select} where s.service_id = ?`, [serviceId]);
  return row && toView(row);
}
