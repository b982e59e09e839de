import { defineEntity, p } from '@mikro-orm/core';
import { endReasons, serviceVmPurposes, serviceVmStates, startRungs } from '../../../workflows/contract/service-vm.ts';
import type { ServiceSpec } from '../../../workflows/contract/service.ts';
import type { Problem } from '../../../workflows/contract/errors.ts';
import { Host } from './host.ts';
import { Service, ServiceImage } from './service.ts';

/** A Service VM. The row is written with the request; from then on the workflow that it names owns it. */
const ServiceVmSchema = defineEntity({
  name: 'ServiceVm',
  tableName: 'service_vms',
  indexes: [{ properties: ['service', 'state'] }, { properties: ['host', 'state'] }],
  properties: {
    id: p.uuid().primary(),
    service: () => p.manyToOne(Service).ref().deleteRule('restrict'),
    /** What it was begun with. The service's own may change meanwhile, and must not harm what runs. */
    spec: p.json<ServiceSpec>(),
    workflowId: p.text().unique(),
    /** The operation that clients watch while it starts. */
    startOperationId: p.uuid(),
    state: p.enum(serviceVmStates),
    /** Whether others may join it. */
    shared: p.boolean(),
    host: () => p.manyToOne(Host).ref().strictNullable().deleteRule('restrict'),
    image: () => p.manyToOne(ServiceImage).ref().strictNullable().deleteRule('restrict'),
    rung: p.enum(startRungs).strictNullable(),
    /** Reserved on the host from `reserve` to `release`; zero before and after. */
    memoryMib: p.integer().default(0),
    vcpus: p.integer().default(0),
    /** Changes with every boot or restore of the guest, so that late news about a former one is told apart. */
    bootId: p.uuid().strictNullable(),
    /** Of the host's kernel when the guest became ready. */
    hostBootId: p.text().strictNullable(),
    purpose: p.enum(serviceVmPurposes),
    /** Of an editing VM: where its screen is, on its host's loopback. */
    vncPort: p.integer().strictNullable(),
    restarts: p.integer().default(0),
    endReason: p.enum(endReasons).strictNullable(),
    problem: p.json<Problem>().strictNullable(),
    requestedAt: p.datetime().onCreate(() => new Date()),
    readyAt: p.datetime().strictNullable(),
    endedAt: p.datetime().strictNullable(),
    version: p.integer().version(),
  },
});

export class ServiceVm extends ServiceVmSchema.class {}
ServiceVmSchema.setClass(ServiceVm);
