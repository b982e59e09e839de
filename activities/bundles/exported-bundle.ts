import { createHash } from 'node:crypto';
import type { HypervisorFingerprint } from '../../workflows/contract/cloudlet.ts';
import type { ExportedService } from '../store/bundles.ts';
import { manifestVersion, type BundleManifest, type BundleMember } from './bundle-manifest.ts';
import type { PackInput } from './pack-bundle.ts';
import { serviceJson, serviceJsonName } from './service-json.ts';
import type { StandaloneFile, StandaloneFiles } from './standalone-files.ts';

/**
 * What a service's bundle is made of. Readers of pycloud's kind find a disk, an empty state (they then boot the disk)
 * and a description; a saved state of ours goes with the disk as it was at that moment, of which they know nothing.
 */
export function exportedBundle(
  { spec, number, savedUnder, savedMemoryMib, savedVcpus }: ExportedService,
  files: StandaloneFiles,
  hypervisor: HypervisorFingerprint,
  hostCpu: string,
): Pick<PackInput, 'manifest' | 'contents'> {
  const diskName = `${spec.serviceId}.qcow2`;
  const stateName = `${diskName}.lqs`;
  const description = serviceJson(spec, diskName, stateName);
  const saved =
    files.saved && savedUnder && savedMemoryMib !== null && savedVcpus !== null
      ? { files: files.saved, under: savedUnder, memoryMib: savedMemoryMib, vcpus: savedVcpus }
      : null;
  const stored: readonly (readonly [name: string, role: BundleMember['role'], file: StandaloneFile])[] = [
    [diskName, 'disk', files.disk],
    ...(saved
      ? ([
          ['cloudlet-saved-disk', 'saved-disk', saved.files.disk],
          ['cloudlet-saved-memory', 'saved-memory', saved.files.memory],
        ] as const)
      : []),
  ];
  const manifest: BundleManifest = {
    format: 'cloudlet-bundle',
    formatVersion: manifestVersion,
    createdAt: new Date().toISOString(),
    imageVersion: number,
    spec,
    hypervisor,
    hostCpu,
    saved: saved && { under: saved.under, memoryMib: saved.memoryMib, vcpus: saved.vcpus },
    members: [
      textMember(serviceJsonName, 'service', description),
      textMember(stateName, 'state', Buffer.alloc(0)),
      ...stored.map(([name, role, { sizeBytes, sha256 }]) => ({ name, role, sizeBytes, sha256 })),
    ],
  };
  return {
    manifest,
    contents: {
      [serviceJsonName]: { text: description.toString() },
      [stateName]: { text: '' },
      ...Object.fromEntries(stored.map(([name, , { path }]) => [name, { path }])),
    },
  };
}

const textMember = (name: string, role: BundleMember['role'], bytes: Buffer): BundleMember => ({
  name,
  role,
  sizeBytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});
