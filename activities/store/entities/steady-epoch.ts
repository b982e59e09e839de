import { defineEntity, p } from '@mikro-orm/core';

/** Where steady time stands for one boot of one machine: see `steady-clock.ts`. */
const SteadyEpochSchema = defineEntity({
  name: 'SteadyEpoch',
  tableName: 'steady_epochs',
  properties: {
    bootId: p.text().primary(),
    /** Steady time at the moment the machine booted, ms. */
    baseMs: p.bigint('number'),
  },
});

export class SteadyEpoch extends SteadyEpochSchema.class {}
SteadyEpochSchema.setClass(SteadyEpoch);
