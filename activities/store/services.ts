import { randomUUID } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { ServiceSpec } from '../../workflows/contract/service.ts';
import { Service } from './entities/service.ts';
import { requireTag, type IfMatch } from './entity-tag.ts';
import { appendEvent } from './events.ts';
import { once, type Idempotency } from './idempotency.ts';
import type { Store } from './store.ts';

/** Those that are not in the trash: all that anybody but `trash.ts` has to do with. */
const inUse = { trashedBy: null } as const;

export const listServices = (store: Store): Promise<Service[]> => store.fork().find(Service, inUse, { orderBy: { serviceId: 'asc' } });

export const findService = (store: Store, serviceId: string): Promise<Service | null> =>
  store.fork().findOne(Service, { serviceId, ...inUse });

export const noService = (serviceId: string): CloudletError =>
  new CloudletError('not-found', `There is no service "${serviceId}" on this cloudlet. GET /v1/services lists those there are.`);

/**
 * What happens to a service and to who starts it goes one after the other, until the end of the transaction.
 * @param alone which services nobody else may be busy with; with the others those may be who say the same
 */
export async function lockService(
  em: EntityManager,
  serviceId: string,
  alone: (known: Service) => boolean = () => true,
): Promise<Service | null> {
  const known = await em.findOne(Service, { serviceId });
  if (!known) return null;
  const lock = alone(known) ? 'pg_advisory_xact_lock' : 'pg_advisory_xact_lock_shared';
  await em.execute(`select ${lock}(hashtextextended(?, 1))`, [known.id]);
  // It may have changed, or gone, while we waited.
  return em.findOne(Service, { serviceId }, { refresh: true });
}

/** @returns the service, locked @throws CloudletError `not-found`, also where it is in the trash */
export async function requireService(em: EntityManager, serviceId: string, alone?: (known: Service) => boolean): Promise<Service> {
  const service = await lockService(em, serviceId, alone);
  if (!service || service.trashedBy) throw noService(serviceId);
  return service;
}

export const isTrashed = async (store: Store, serviceId: string): Promise<boolean> =>
  (await store.fork().count(Service, { serviceId, trashedBy: { $ne: null } })) > 0;

/** @throws CloudletError `state-conflict` where the service is in the trash: it may be wanted back as it was */
export async function refuseTrashed(em: EntityManager, serviceId: string): Promise<void> {
  if ((await em.count(Service, { serviceId, trashedBy: { $ne: null } })) === 0) return;
  throw new CloudletError(
    'state-conflict',
    `A service "${serviceId}" is in the trash. Restore it (cloudlet service restore), or delete it for good (cloudlet service remove --purge).`,
    { state: 'trashed' },
  );
}

/**
 * Writes a service that has no image yet.
 * @throws CloudletError `name-taken`, `state-conflict` when the name is one in the trash
 */
export async function createService(
  store: Store,
  spec: ServiceSpec,
  asked: { principal: string; idempotency?: Idempotency },
): Promise<void> {
  const { serviceId } = spec;
  await store.transaction((em) =>
    once(em, asked.principal, asked.idempotency, async () => {
      await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 6))', [serviceId]);
      await refuseTrashed(em, serviceId);
      if ((await em.count(Service, { serviceId })) > 0) {
        throw new CloudletError('name-taken', `There is a service "${serviceId}" already. Change that one, or choose another name.`);
      }
      em.create(Service, { id: randomUUID(), serviceId, spec, image: null, createdAt: new Date(), updatedAt: new Date() });
      appendEvent(em, { type: 'service.created', subject: serviceId, audience: 'public' });
      return { serviceId };
    }),
  );
}

/**
 * Changes what new instances of a service are begun with. Those that run keep what they have.
 * @param change from the present spec to the new one; throws where that is not valid
 * @throws CloudletError `not-found`, `precondition-failed`
 */
export async function changeService(
  store: Store,
  serviceId: string,
  ifMatch: IfMatch,
  change: (spec: ServiceSpec) => ServiceSpec,
): Promise<void> {
  await store.transaction(async (em) => {
    const service = await requireService(em, serviceId);
    requireTag(service, ifMatch);
    const spec = change(service.spec);
    if (JSON.stringify(spec) === JSON.stringify(service.spec)) return;
    service.spec = spec;
    appendEvent(em, { type: 'service.changed', subject: serviceId, audience: 'public' });
  });
}
