import type { HypervisorFingerprint } from '../../workflows/contract/cloudlet.ts';
import type { ServiceSpec } from '../../workflows/contract/service.ts';
import type { ServiceImage } from './entities/service.ts';
import type { StartRung } from '../../workflows/contract/service-vm.ts';

/** What a new instance may get: what its service asks for, and how it can be started. */
export interface StartOption {
  readonly memoryMib: number;
  readonly rungs: readonly StartRung[];
}

/**
 * The ways to start a service on a host, best first. A saved state needs the memory and the hypervisor that it was
 * saved with; a cold boot may fall to the service's minimum.
 */
export function startOptions(spec: ServiceSpec, image: SavedState, fingerprint: HypervisorFingerprint | null): StartOption[] {
  const { idealMib, minimumMib } = spec.memory;
  const restorable = image.memoryMib !== null && image.vcpus === spec.vcpus && sameFingerprint(image.savedUnder, fingerprint);
  const saved = restorable ? image.memoryMib : undefined;
  const coldBoots = [idealMib, minimumMib].filter((memoryMib, index, all) => memoryMib !== saved && all.indexOf(memoryMib) === index);
  return [
    ...(saved === undefined ? [] : [{ memoryMib: saved, rungs: restoreRungs(saved >= minimumMib) }]),
    ...coldBoots.map((memoryMib) => ({ memoryMib, rungs: ['cold-boot'] as const })),
  ];
}

const restoreRungs = (alsoBoots: boolean): readonly StartRung[] => (alsoBoots ? ['restore', 'cold-boot'] : ['restore']);

export interface SavedState {
  readonly memoryMib: number | null;
  readonly vcpus: number | null;
  readonly savedUnder: HypervisorFingerprint | null;
}

export const savedStateOf = (image: Pick<ServiceImage, 'memory' | 'savedMemoryMib' | 'savedVcpus' | 'savedUnder'>): SavedState => ({
  memoryMib: image.memory ? image.savedMemoryMib : null,
  vcpus: image.savedVcpus,
  savedUnder: image.savedUnder,
});

export const sameFingerprint = (a: HypervisorFingerprint | null, b: HypervisorFingerprint | null): boolean =>
  a !== null &&
  b !== null &&
  a.accelerator === b.accelerator &&
  a.qemuVersion === b.qemuVersion &&
  a.machine === b.machine &&
  a.cpuModel === b.cpuModel;
