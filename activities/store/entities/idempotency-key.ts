import { defineEntity, p } from '@mikro-orm/core';

/** A request that its client may repeat without its being carried out twice, and what it was answered with. */
const IdempotencyKeySchema = defineEntity({
  name: 'IdempotencyKey',
  tableName: 'idempotency_keys',
  indexes: [{ properties: ['createdAt'] }],
  properties: {
    /** `principalName` of who asked: everybody has keys of their own. */
    principal: p.text().primary(),
    key: p.text().primary(),
    /** SHA-256 of the request that the key came with: the same key with another request is a mistake. */
    requestHash: p.character().length(64),
    answer: p.json<Record<string, unknown>>(),
    createdAt: p.datetime().onCreate(() => new Date()),
  },
});

export class IdempotencyKey extends IdempotencyKeySchema.class {}
IdempotencyKeySchema.setClass(IdempotencyKey);
