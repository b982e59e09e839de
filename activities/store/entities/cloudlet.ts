import { defineEntity, p } from '@mikro-orm/core';

/** This cloudlet, one row: the identity that peers and domains know it by. */
const CloudletSchema = defineEntity({
  name: 'Cloudlet',
  tableName: 'cloudlets',
  properties: {
    id: p.uuid().primary(),
    name: p.text(),
    /** Key of the lease tokens, 32 random bytes. */
    tokenKey: p.blob().lazy(),
    createdAt: p.datetime().onCreate(() => new Date()),
  },
});

export class Cloudlet extends CloudletSchema.class {}
CloudletSchema.setClass(Cloudlet);
