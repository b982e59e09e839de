import { defineEntity, p } from '@mikro-orm/core';

/**
 * What happened, append-only. `seq` is given under a lock by the database, so that it grows in the order of commits
 * and a reader who has seen `n` never misses a later commit with a smaller number.
 */
const EventSchema = defineEntity({
  name: 'Event',
  tableName: 'events',
  indexes: [{ properties: ['operationId'] }, { properties: ['at'] }],
  properties: {
    seq: p.bigint('number').primary().autoincrement(),
    at: p.datetime().onCreate(() => new Date()),
    type: p.text(),
    subject: p.text(),
    operationId: p.uuid().strictNullable(),
    audience: p.enum(['public', 'owner'] as const),
    data: p.json<Record<string, unknown>>(),
  },
});

export class Event extends EventSchema.class {}
EventSchema.setClass(Event);
