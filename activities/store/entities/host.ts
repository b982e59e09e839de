import { defineEntity, p } from '@mikro-orm/core';
import type { HypervisorFingerprint } from '../../../workflows/contract/cloudlet.ts';

/** A machine with a worker and a hypervisor. Its worker keeps the row fresh; a stale row takes no new instances. */
const HostSchema = defineEntity({
  name: 'Host',
  tableName: 'hosts',
  properties: {
    id: p.uuid().primary(),
    name: p.text(),
    /** Of the kernel: another one means that the machine was restarted and every guest is gone. */
    bootId: p.text(),
    vcpus: p.integer(),
    /** What all Service VMs of the host may hold together. */
    memoryMib: p.integer(),
    /** What the kernel says is available now; bounds new instances too. */
    memoryAvailableMib: p.integer(),
    /** Size of the file system that images and instances lie on. */
    diskBytes: p.bigint('number').default(0),
    diskFreeBytes: p.bigint('number'),
    fingerprint: p.json<HypervisorFingerprint>().strictNullable(),
    /** Null while the hypervisor answers, else what stands in the way. */
    hypervisorProblem: p.text().strictNullable(),
    /** Where clients of its guests reach it: the IPv4 address of the configured network adapter. */
    address: p.text(),
    /** Steady time (`steady-clock.ts`), ms. */
    heartbeatAtMs: p.bigint('number'),
    createdAt: p.datetime().onCreate(() => new Date()),
  },
});

export class Host extends HostSchema.class {}
HostSchema.setClass(Host);
