/** The cloudlet itself, as its API describes it. */
import { Type, type Static } from 'typebox';

/** A host that runs Service VMs: what it has and what is left. Memory in MiB, disk in bytes. */
export const HostCapacity = Type.Object({
  vcpus: Type.Integer(),
  memoryMib: Type.Integer({ description: 'What Service VMs may use together' }),
  memoryReservedMib: Type.Integer({ description: 'What running Service VMs hold' }),
  memoryFreeMib: Type.Integer({ description: 'What a new Service VM may still take' }),
  diskBytes: Type.Integer({ description: 'Size of the file system that disks lie on' }),
  diskFreeBytes: Type.Integer(),
});
export type HostCapacity = Static<typeof HostCapacity>;

/** How guests run on a host: with hardware virtualisation, or emulated. */
export const accelerators = ['kvm', 'tcg'] as const;
export type Accelerator = (typeof accelerators)[number];

/** What a saved memory state depends on. A state that was made under another one is not restored. */
export interface HypervisorFingerprint {
  readonly accelerator: Accelerator;
  readonly qemuVersion: string;
  readonly machine: string;
  readonly cpuModel: string;
}
