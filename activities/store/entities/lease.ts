import { defineEntity, p } from '@mikro-orm/core';
import { ServiceVm } from './service-vm.ts';

/** A user's hold on an instance. Without any, the instance ends. */
const LeaseSchema = defineEntity({
  name: 'Lease',
  tableName: 'leases',
  indexes: [{ properties: ['serviceVm', 'holder'] }, { properties: ['expiresAtMs'] }],
  properties: {
    id: p.uuid().primary(),
    serviceVm: () => p.manyToOne(ServiceVm).ref().deleteRule('cascade'),
    /** Who uses it (`principalName`): users are counted by this. */
    holder: p.text(),
    /** `/v1` leases are proven by a token (`lease-token.ts`); stock phones have none and are known by `holder`. */
    dialect: p.enum(['v1', 'pycloud'] as const),
    /** How long a renewal holds. */
    lengthMs: p.integer(),
    /** Steady time (`steady-clock.ts`), ms. */
    expiresAtMs: p.bigint('number'),
    createdAt: p.datetime().onCreate(() => new Date()),
  },
});

export class Lease extends LeaseSchema.class {}
LeaseSchema.setClass(Lease);
