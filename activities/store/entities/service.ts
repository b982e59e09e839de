import { defineEntity, p } from '@mikro-orm/core';
import type { HypervisorFingerprint } from '../../../workflows/contract/cloudlet.ts';
import type { ServiceSpec } from '../../../workflows/contract/service.ts';
import { Image } from './image.ts';

/** What phones can ask for. It can be started once it has an image. */
const ServiceSchema = defineEntity({
  name: 'Service',
  tableName: 'services',
  properties: {
    id: p.uuid().primary(),
    serviceId: p.text().unique(),
    spec: p.json<ServiceSpec>(),
    /** The image that new instances start from. */
    image: () => p.manyToOne(ServiceImage).ref().strictNullable().deleteRule('restrict'),
    /** The build that wrote this row, until something was published: a build that fails takes it along. */
    writtenBy: p.uuid().nullable(),
    /** The operation that put it into the trash; null while it can be used. */
    trashedBy: p.uuid().nullable(),
    /** Steady time (`steady-clock.ts`), ms, from which on it is deleted for good. */
    trashedUntilMs: p.bigint('number').nullable(),
    version: p.integer().version(),
    createdAt: p.datetime().onCreate(() => new Date()),
    updatedAt: p
      .datetime()
      .onCreate(() => new Date())
      .onUpdate(() => new Date()),
  },
});

export class Service extends ServiceSchema.class {}
ServiceSchema.setClass(Service);

/**
 * One version of what a service is started from: a disk to boot, and, where one was saved, a memory state with the
 * disk as it was at that moment. Immutable.
 */
const ServiceImageSchema = defineEntity({
  name: 'ServiceImage',
  tableName: 'service_images',
  uniques: [{ properties: ['service', 'number'] }],
  properties: {
    id: p.uuid().primary(),
    service: () => p.manyToOne(Service).ref().deleteRule('cascade'),
    number: p.integer(),
    disk: () => p.manyToOne(Image).ref(),
    savedDisk: () => p.manyToOne(Image).ref().strictNullable().deleteRule('restrict'),
    memory: () => p.manyToOne(Image).ref().strictNullable().deleteRule('restrict'),
    /** What the memory state was made under; it is restored only where this is the same. */
    savedUnder: p.json<HypervisorFingerprint>().strictNullable(),
    /** Memory of the guest whose state was saved; a restore needs just as much. */
    savedMemoryMib: p.integer().strictNullable(),
    savedVcpus: p.integer().strictNullable(),
    createdAt: p.datetime().onCreate(() => new Date()),
  },
});

export class ServiceImage extends ServiceImageSchema.class {}
ServiceImageSchema.setClass(ServiceImage);
