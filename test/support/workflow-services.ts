import { randomBytes, randomUUID } from 'node:crypto';
import { Image, ImageLocation } from '../../activities/store/entities/image.ts';
import { Service, ServiceImage } from '../../activities/store/entities/service.ts';
import type { Store } from '../../activities/store/store.ts';
import { serviceSpecDefaults, type ServiceSpec } from '../../workflows/contract/service.ts';
import { scriptedFingerprint } from './workflow-host.ts';

export interface TestService {
  readonly spec?: Partial<ServiceSpec>;
  /** Whether it has a saved state, so that it starts by restore. */
  readonly saved?: boolean;
}

/** A service of its own name. */
export const testSpec = (spec: Partial<ServiceSpec> = {}): ServiceSpec => ({
  ...serviceSpecDefaults,
  serviceId: `test.${randomUUID()}`,
  tags: [],
  memory: { minimumMib: 64, idealMib: 64 },
  ports: [
    { name: 'http', protocol: 'tcp', guestPort: 8080 },
    { name: 'video', protocol: 'udp', guestPort: 5004 },
  ],
  readiness: { kind: 'http', guestPort: 8080, path: '/', timeoutSeconds: 60 },
  ...spec,
});

/** Writes a service with its image, as if it had been built. @returns its name */
export async function insertService(store: Store, hostId: string, { spec: given, saved = false }: TestService = {}): Promise<string> {
  const spec = testSpec(given);
  // All at once, so that a reconciliation never finds images that belong to nobody.
  await store.transaction(async (em) => {
    const now = new Date();
    const newImage = (kind: Image['kind'], backing: Image | null = null) => {
      const image = em.create(Image, {
        id: randomUUID(),
        sha256: randomBytes(32).toString('hex'),
        kind,
        sizeBytes: 1,
        virtualSizeBytes: kind === 'disk' ? 1 : null,
        backing,
        createdAt: now,
      });
      em.create(ImageLocation, { image, host: hostId });
      return image;
    };
    const disk = newImage('disk');
    const service = em.create(Service, { id: randomUUID(), serviceId: spec.serviceId, spec, image: null, createdAt: now, updatedAt: now });
    const image = em.create(ServiceImage, {
      id: randomUUID(),
      service,
      number: 1,
      disk,
      savedDisk: saved ? newImage('disk', disk) : null,
      memory: saved ? newImage('memory') : null,
      savedUnder: saved ? scriptedFingerprint : null,
      savedMemoryMib: saved ? spec.memory.idealMib : null,
      savedVcpus: saved ? spec.vcpus : null,
      createdAt: now,
    });
    await em.flush();
    service.image = em.getReference(ServiceImage, image.id, { wrapped: true });
  });
  return spec.serviceId;
}
