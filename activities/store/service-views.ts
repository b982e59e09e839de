import type { Static } from 'typebox';
import type { HypervisorFingerprint } from '../../workflows/contract/cloudlet.ts';
import type { ServiceView } from '../../workflows/contract/http.ts';
import type { ServiceSpec } from '../../workflows/contract/service.ts';
import { entityTag } from './entity-tag.ts';
import type { Store } from './store.ts';

export type Service = Static<typeof ServiceView>;

interface ServiceRow {
  readonly id: string;
  readonly version: number;
  readonly spec: ServiceSpec;
  /** As PostgreSQL writes it. */
  readonly updated_at: string;
  readonly number: number | null;
  readonly saved_under: HypervisorFingerprint | null;
  /** Steady time, ms. */
  readonly trashed_until_ms: string | null;
}

const select = `select s.id, s.version, s.spec, s.updated_at, s.trashed_until_ms, i.number, i.saved_under
  from services s left join service_images i on i.id = s.image_id`;

function toView(store: Store, row: ServiceRow): Service {
  const { spec, number, updated_at: updatedAt, saved_under: savedUnder, trashed_until_ms: trashedUntilMs } = row;
  const joinable: Service['startsBy'] = spec.sharing === 'join' ? (['join'] as const) : [];
  const warm: Service['startsBy'] = (spec.poolSize ?? 0) > 0 ? (['claim'] as const) : [];
  const guestRungs: Service['startsBy'] = savedUnder ? (['restore', 'cold-boot'] as const) : (['cold-boot'] as const);
  return {
    ...spec,
    imageVersion: number,
    startable: number !== null,
    startsBy: number === null ? [] : [...joinable, ...warm, ...guestRungs],
    updatedAt: new Date(updatedAt).toISOString(),
    ...(trashedUntilMs === null ? {} : { trashedUntil: onTheWall(store, Number(trashedUntilMs)) }),
  };
}

/** What people's clocks will show at a steady time, as far as anybody can know. */
const onTheWall = (store: Store, steadyMs: number): string => new Date(Date.now() + steadyMs - store.clock.nowMs()).toISOString();

const presentServices = { name: 'present-services', text: `${select} where s.trashed_by is null order by s.service_id` };
const trashedServices = { name: 'trashed-services', text: `${select} where s.trashed_by is not null order by s.service_id` };

/** Services as everybody may see them, by name; those in the trash instead when asked for. */
export async function listServiceViews(store: Store, { trashed = false }: { readonly trashed?: boolean } = {}): Promise<Service[]> {
  const rows = await store.read<ServiceRow>(trashed ? trashedServices : presentServices);
  return rows.map((row) => toView(store, row));
}

/** One service that is not in the trash, and its entity tag. */
export async function findServiceView(store: Store, serviceId: string): Promise<{ view: Service; tag: string } | undefined> {
  const [row] = await store.fork().execute<ServiceRow[]>(`${select} where s.service_id = ? and s.trashed_by is null`, [serviceId]);
  return row && { view: toView(store, row), tag: entityTag(row) };
}
