import { defineEntity, p } from '@mikro-orm/core';
import { Host } from './host.ts';
import { ServiceVm } from './service-vm.ts';

/** A host port that forwards to a port of a guest. Two instances can never hold the same one. */
const PortReservationSchema = defineEntity({
  name: 'PortReservation',
  tableName: 'port_reservations',
  uniques: [{ properties: ['host', 'protocol', 'hostPort'] }, { properties: ['serviceVm', 'position'] }],
  properties: {
    id: p.uuid().primary(),
    host: () => p.manyToOne(Host).ref(),
    serviceVm: () => p.manyToOne(ServiceVm).ref().deleteRule('cascade'),
    /** Order of the service's ports: 0 is the main one. */
    position: p.integer(),
    name: p.text(),
    protocol: p.enum(['tcp', 'udp'] as const),
    guestPort: p.integer(),
    hostPort: p.integer(),
  },
});

export class PortReservation extends PortReservationSchema.class {}
PortReservationSchema.setClass(PortReservation);
