import { defineEntity, p } from '@mikro-orm/core';
import { bundleCompressions } from '../../../workflows/contract/bundle.ts';
import { Host } from './host.ts';

/** A bundle that was exported and waits to be fetched. Its file lies on the host, named by its id. */
const BundleSchema = defineEntity({
  name: 'Bundle',
  tableName: 'bundles',
  indexes: [{ properties: ['createdAt'] }],
  properties: {
    id: p.uuid().primary(),
    host: () => p.manyToOne(Host).ref().deleteRule('cascade'),
    /** By name: the bundle outlives its service. */
    serviceId: p.text(),
    imageVersion: p.integer(),
    compression: p.enum(bundleCompressions),
    sizeBytes: p.bigint('number'),
    sha256: p.character().length(64),
    /** Steady time (`steady-clock.ts`), ms. */
    expiresAtMs: p.bigint('number'),
    createdAt: p.datetime().onCreate(() => new Date()),
  },
});

export class Bundle extends BundleSchema.class {}
BundleSchema.setClass(Bundle);
