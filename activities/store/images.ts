import { randomUUID } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { HypervisorFingerprint } from '../../workflows/contract/cloudlet.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { OperationKind } from '../../workflows/contract/operation.ts';
import { Image, ImageLocation } from './entities/image.ts';
import { ServiceImage } from './entities/service.ts';
import type { Store } from './store.ts';

export interface StoredImage {
  readonly id: string;
  readonly sha256: string;
  readonly kind: 'disk' | 'memory';
  readonly sizeBytes: number;
  readonly virtualSizeBytes: number | null;
  readonly backingId: string | null;
}

/** Writes that a host holds a file. The same content is the same image, wherever it came from. */
export async function recordImage(store: Store, hostId: string, image: Omit<StoredImage, 'id'>): Promise<StoredImage> {
  return store.transaction(async (em) => {
    await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 3))', [image.sha256]);
    const { backingId, ...columns } = image;
    const known = await em.findOne(Image, { sha256: image.sha256 });
    const row = known ?? em.create(Image, { id: randomUUID(), ...columns, backing: backingId, createdAt: new Date() });
    await em.flush();
    await em.upsert(ImageLocation, { image: row.id, host: hostId });
    return toStored(row);
  });
}

const toStored = (row: Image): StoredImage => ({
  id: row.id,
  sha256: row.sha256,
  kind: row.kind,
  sizeBytes: row.sizeBytes,
  virtualSizeBytes: row.virtualSizeBytes,
  backingId: row.backing?.id ?? null,
});

export interface SavedImages {
  readonly disk: StoredImage;
  readonly memory: StoredImage;
  /** What the state was made under; null where it is known to be unusable. */
  readonly under: HypervisorFingerprint | null;
}

/** The files that an instance starts from. */
export interface InstanceImages {
  readonly disk: StoredImage;
  readonly saved: SavedImages | null;
}

export async function imagesOfServiceImage(em: EntityManager, serviceImageId: string): Promise<InstanceImages> {
  const image = await em.findOneOrFail(ServiceImage, { id: serviceImageId }, { populate: ['disk', 'savedDisk', 'memory'] });
  const savedDisk = image.savedDisk?.getEntity();
  const memory = image.memory?.getEntity();
  return {
    disk: toStored(image.disk.getEntity()),
    saved: savedDisk && memory ? { disk: toStored(savedDisk), memory: toStored(memory), under: image.savedUnder } : null,
  };
}

/** What they work on is referred to all the time. All others may hold images that nothing refers to yet. */
const makingNoImages: readonly OperationKind[] = ['service-vm.start', 'service-vm.stop', 'service.remove', 'image.verify'];

/** Whether an operation is under way that may hold images which nothing refers to yet. While an admin works in an editing VM, it holds none. */
export async function isMakingImages(store: Store): Promise<boolean> {
  const [row] = await store.fork().execute<{ making: boolean }[]>(
    `select exists (select 1 from operations
       where state = 'running' and kind <> all(?::text[]) and progress ->> 'phase' is distinct from 'edit') as making`,
    [`{${makingNoImages.join(',')}}`],
  );
  return row!.making;
}

/**
 * The disk that an image of a service boots from.
 * @returns id of the stored image
 * @throws CloudletError `not-found`
 */
export async function diskOfService(store: Store, { serviceId, version }: { serviceId: string; version?: number }): Promise<string> {
  const [row] = await store.fork().execute<{ disk_id: string }[]>(
    `select i.disk_id from service_images i join services s on s.id = i.service_id
     where s.service_id = ? and i.number = coalesce(?, (select number from service_images where id = s.image_id))`,
    [serviceId, version ?? null],
  );
  if (row) return row.disk_id;
  const wanted = version === undefined ? 'an image' : `image ${version}`;
  throw new CloudletError('not-found', `There is no service "${serviceId}" on this cloudlet with ${wanted}.`);
}

/**
 * Forgets images that no service refers to.
 * @returns SHA-256 of the images that this host holds and must keep
 */
export async function forgetUnusedImages(store: Store, hostId: string): Promise<ReadonlySet<string>> {
  return store.transaction(async (em) => {
    await em.execute(
      `with recursive used(id) as (
         select unnest(array[disk_id, saved_disk_id, memory_id]) from service_images
         union select i.backing_id from images i join used on used.id = i.id where i.backing_id is not null
       )
       delete from images where id not in (select id from used where id is not null)`,
    );
    const kept = await em.execute<{ sha256: string }[]>(
      'select i.sha256 from images i join image_locations l on l.image_id = i.id where l.host_id = ?',
      [hostId],
    );
    return new Set(kept.map(({ sha256 }) => sha256));
  });
}
