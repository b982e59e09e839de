import type { EntityManager } from '@mikro-orm/postgresql';
import type { HypervisorFingerprint } from '../../workflows/contract/cloudlet.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { ServiceImageBody } from '../../workflows/contract/image.ts';
import { liveServiceVmStates } from '../../workflows/contract/service-vm.ts';
import { Host } from './entities/host.ts';
import { Service, ServiceImage } from './entities/service.ts';
import { ServiceVm } from './entities/service-vm.ts';
import { requireTag, type IfMatch } from './entity-tag.ts';
import { appendEvent } from './events.ts';
import { isFresh } from './hosts.ts';
import { noService, requireService } from './services.ts';
import { sameFingerprint } from './start-options.ts';
import type { Store } from './store.ts';

const live = `{${liveServiceVmStates.join(',')}}`;

/** An image that an operation is still making: its instance was written with it, and belongs to that operation. */
const unfinished = `exists (select 1 from service_vms v join operations o on o.id = v.start_operation_id
  where v.image_id = si.id and v.purpose in ('build', 'edit') and o.state = 'running' and o.kind <> 'service.refresh')`;

interface ImageRow {
  readonly number: number;
  readonly selected: boolean;
  readonly disk: string;
  readonly disk_bytes: string;
  readonly memory_bytes: string | null;
  readonly saved_disk_bytes: string | null;
  readonly saved_under: HypervisorFingerprint | null;
  readonly saved_memory_mib: number | null;
  readonly saved_vcpus: number | null;
  readonly instances: string;
  readonly created_at: string;
}

/** Versions of a service's image, the latest first. @throws CloudletError `not-found` */
export async function listServiceImages(store: Store, serviceId: string): Promise<ServiceImageBody[]> {
  const em = store.fork();
  const service = await em.findOne(Service, { serviceId, trashedBy: null });
  if (!service) throw noService(serviceId);
  const nowMs = store.clock.nowMs();
  const hosts = (await em.find(Host, {})).filter((host) => isFresh(host, nowMs));
  const rows = await em.execute<ImageRow[]>(
    `select si.number, si.id = s.image_id as selected, d.sha256 as disk, d.size_bytes as disk_bytes, m.size_bytes as memory_bytes,
            sd.size_bytes as saved_disk_bytes, si.saved_under, si.saved_memory_mib, si.saved_vcpus, si.created_at,
            (select count(*) from service_vms v where v.image_id = si.id and v.state = any(?::text[])) as instances
     from service_images si join services s on s.id = si.service_id join images d on d.id = si.disk_id
       left join images m on m.id = si.memory_id left join images sd on sd.id = si.saved_disk_id
     where s.id = ? and not ${unfinished} order by si.number desc`,
    [live, service.id],
  );
  return rows.map((row) => ({
    version: row.number,
    selected: row.selected,
    disk: row.disk,
    diskBytes: Number(row.disk_bytes),
    savedState:
      row.saved_under === null || row.memory_bytes === null
        ? null
        : {
            sizeBytes: Number(row.memory_bytes) + Number(row.saved_disk_bytes ?? 0),
            memoryMib: row.saved_memory_mib ?? 0,
            vcpus: row.saved_vcpus ?? 0,
            under: row.saved_under,
            fits: row.saved_vcpus === service.spec.vcpus && hosts.some(({ fingerprint }) => sameFingerprint(row.saved_under, fingerprint)),
          },
    instances: Number(row.instances),
    createdAt: new Date(row.created_at).toISOString(),
  }));
}

async function requireImage(em: EntityManager, service: Service, version: number): Promise<ServiceImage> {
  const [row] = await em.execute<{ id: string }[]>(
    `select si.id from service_images si where si.service_id = ? and si.number = ? and not ${unfinished}`,
    [service.id, version],
  );
  if (!row) throw new CloudletError('not-found', `"${service.serviceId}" has no image ${version}. cloudlet image list shows those it has.`);
  return em.findOneOrFail(ServiceImage, { id: row.id });
}

/**
 * Has new instances start from another version of the image: goes back, or forth again. Those that run stay.
 * @throws CloudletError `not-found`, `precondition-failed`
 */
export async function selectServiceImage(store: Store, serviceId: string, version: number, ifMatch: IfMatch): Promise<void> {
  await store.transaction(async (em) => {
    const service = await requireService(em, serviceId);
    requireTag(service, ifMatch);
    const image = await requireImage(em, service, version);
    if (service.image?.id === image.id) return;
    Object.assign(service, { image });
    appendEvent(em, { type: 'service.published', subject: serviceId, audience: 'public', data: { version } });
  });
}

/**
 * Deletes a version that nothing starts from; its files go when nothing refers to them any more.
 * @throws CloudletError `not-found`, `state-conflict` while new instances start from it or one runs on it
 */
export async function deleteServiceImage(store: Store, serviceId: string, version: number): Promise<void> {
  await store.transaction(async (em) => {
    const service = await requireService(em, serviceId);
    const image = await requireImage(em, service, version);
    if (service.image?.id === image.id) {
      throw new CloudletError('state-conflict', `New instances of "${serviceId}" start from image ${version}. Select another one first.`, {
        state: 'selected',
      });
    }
    const instances = await em.count(ServiceVm, { image: image.id, state: { $in: [...liveServiceVmStates] } });
    if (instances > 0) {
      throw new CloudletError('state-conflict', `Service VMs run on image ${version} of "${serviceId}": ${instances}. End them first.`, {
        state: 'running',
      });
    }
    await em.nativeUpdate(ServiceVm, { image: image.id }, { image: null });
    await em.nativeDelete(ServiceImage, { id: image.id });
  });
}
