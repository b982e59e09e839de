import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import { accelerators } from '../../workflows/contract/cloudlet.ts';
import { ServiceSpec } from '../../workflows/contract/service.ts';
import { parseDocument } from './parse-document.ts';
import { refuse } from './refuse.ts';

/** First member of a bundle of ours. Readers that do not know it pass it over. */
export const manifestName = 'cloudlet-manifest.json';
export const manifestVersion = 1;

const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });
const Bytes = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** service: for readers of pycloud's kind · state: empty, for the same · saved-*: a guest's memory, and its disk at that moment */
export const memberRoles = ['service', 'disk', 'state', 'saved-disk', 'saved-memory'] as const;

const Fingerprint = Type.Object({
  accelerator: Type.Enum([...accelerators]),
  qemuVersion: Type.String({ maxLength: 64 }),
  /** Canonical, e.g. `pc-q35-7.2`. */
  machine: Type.String({ maxLength: 64 }),
  cpuModel: Type.String({ maxLength: 64 }),
});

export const BundleManifest = Type.Object({
  format: Type.Literal('cloudlet-bundle'),
  formatVersion: Type.Integer({ minimum: 1 }),
  createdAt: Type.String({ maxLength: 40 }),
  imageVersion: Type.Integer({ minimum: 1 }),
  /** Of a cloudlet that may be older or newer: it may lack fields, or have others. */
  spec: Type.Object({
    ...Type.Partial(ServiceSpec).properties,
    serviceId: ServiceSpec.properties.serviceId,
    ports: ServiceSpec.properties.ports,
  }),
  /** Where it was exported: machine type, guest CPU, QEMU version, and the model of the processor. */
  hypervisor: Fingerprint,
  hostCpu: Type.String({ maxLength: 200 }),
  saved: Type.Union([
    Type.Null(),
    Type.Object({
      under: Fingerprint,
      memoryMib: Type.Integer({ minimum: 32 }),
      vcpus: Type.Integer({ minimum: 1 }),
    }),
  ]),
  members: Type.Array(
    Type.Object({
      name: Type.String({ minLength: 1, maxLength: 255 }),
      role: Type.Enum([...memberRoles]),
      sizeBytes: Bytes,
      sha256: Sha256,
    }),
    { maxItems: 16 },
  ),
});
export type BundleManifest = Static<typeof BundleManifest>;
export type BundleMember = BundleManifest['members'][number];

const needed: ReadonlySet<BundleMember['role']> = new Set(['service', 'disk']);

/** @throws CloudletError `unprocessable-bundle` */
export function readManifest(bytes: Buffer): BundleManifest {
  const manifest = parseDocument(manifestName, bytes, BundleManifest);
  if (manifest.formatVersion > manifestVersion) {
    throw refuse(`it is of format ${manifest.formatVersion}, and this cloudlet reads up to ${manifestVersion}; update the cloudlet`);
  }
  for (const role of memberRoles) {
    const count = manifest.members.filter((member) => member.role === role).length;
    if (count > 1 || (count === 0 && needed.has(role))) throw refuse(`its manifest names ${count} members that are its ${role}`);
  }
  return { ...manifest, spec: Value.Clean(ServiceSpec, manifest.spec) as BundleManifest['spec'] };
}
