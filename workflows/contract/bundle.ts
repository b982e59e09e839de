/** Bundles: a service in one file (`.csvm`), to be carried from one cloudlet to another. */
import { Type, type Static } from 'typebox';
import type { Reported } from './activities.ts';
import type { HypervisorFingerprint } from './cloudlet.ts';
import { ServiceId, ServiceSpec } from './service.ts';

const closed = { additionalProperties: false } as const;

/** How a bundle of ours may be compressed. One of pycloud is gzip; an image hardly shrinks, and costs time. */
export const bundleCompressions = ['none', 'gzip', 'zstd'] as const;
export type BundleCompression = (typeof bundleCompressions)[number];

/** Whose bundles are taken: anybody's, those that somebody signed, or those that somebody we trust signed. */
export const bundlePolicies = ['any', 'signed', 'trusted'] as const;
export type BundlePolicy = (typeof bundlePolicies)[number];

/** Where a bundle to import lies. */
export const BundleSource = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('file'),
      file: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$', description: 'Name of a file in the import folder of the host' }),
    },
    { ...closed, title: 'file' },
  ),
  Type.Object(
    {
      kind: Type.Literal('upload'),
      uploadId: Type.String({ pattern: '^[0-9a-f-]{36}$', description: 'A finished upload; it is used up' }),
    },
    { ...closed, title: 'upload' },
  ),
]);
export type BundleSource = Static<typeof BundleSource>;

/** What an admin says of a service that is imported, beyond what the bundle says, or in its place. */
export const ImportChoices = Type.Object(
  {
    serviceId: Type.Optional(ServiceId),
    ports: Type.Optional(ServiceSpec.properties.ports),
    asNewVersion: Type.Optional(
      Type.Boolean({ description: 'Whether a service of that name that is here already gets it as its new version; else it is refused' }),
    ),
  },
  closed,
);
export type ImportChoices = Static<typeof ImportChoices>;

/** A service that was taken from a bundle: the images that it is made of lie in the store of this host. */
export interface UnpackedService {
  readonly serviceId: string;
  /** What the bundle says of it; the rest is as it was, or as it is where nobody says. */
  readonly spec: Partial<ServiceSpec> & Pick<ServiceSpec, 'ports'>;
  readonly diskId: string;
  readonly saved?: SavedImages;
  readonly publisher: BundlePublisher | null;
  /** Sentences about what was left out, and why. */
  readonly notes: readonly string[];
}

export interface SavedImages {
  readonly diskId: string;
  readonly memoryId: string;
  readonly under: HypervisorFingerprint;
  readonly memoryMib: number;
  readonly vcpus: number;
}

export interface BundlePublisher {
  /** Its Ed25519 key: 32 bytes, base64url. */
  readonly publicKey: string;
  readonly trusted: boolean;
}

export interface ImportInput {
  readonly operationId: string;
  readonly source: BundleSource;
  readonly choices: ImportChoices;
}

export interface ImportOutcome {
  readonly serviceId: string;
  readonly version: number;
  /** Whether it starts from the memory state that came with it. */
  readonly restores: boolean;
  readonly notes: readonly string[];
}

export interface ExportInput {
  /** And id of the bundle. */
  readonly operationId: string;
  readonly serviceId: string;
  readonly compression: BundleCompression;
}

export interface ExportOutcome {
  readonly bundleId: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export interface WrittenBundle {
  readonly imageVersion: number;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Bundles on the disks of one host; run on its own queue. */
export interface BundleActivities {
  /** Takes a bundle apart, after a close look at each of its bytes. `discardPreparation` undoes it. */
  unpackBundle(input: ImportInput & Reported): Promise<UnpackedService>;
  /** Writes the file of a bundle. */
  writeBundle(input: ExportInput & Reported): Promise<WrittenBundle>;
  /** Undo of `writeBundle`: the file, whole or not. */
  removeBundle(input: Pick<ExportInput, 'operationId'>): Promise<void>;
}

/** The database's side of bundles. */
export interface BundleRecordActivities {
  /** The host that holds the images of a service. */
  hostOfService(input: { readonly serviceId: string }): Promise<{ readonly hostId: string }>;
  /** From now on the service is there. */
  publishImport(input: ImportInput & { readonly unpacked: UnpackedService } & Reported): Promise<ImportOutcome>;
  /** From now on the bundle can be downloaded. */
  publishBundle(input: ExportInput & { readonly hostId: string; readonly written: WrittenBundle } & Reported): Promise<ExportOutcome>;
}

export const BundleBody = Type.Object(
  {
    id: Type.String(),
    serviceId: Type.String(),
    imageVersion: Type.Integer({ description: 'Which image of the service is in it' }),
    compression: Type.Enum([...bundleCompressions]),
    sizeBytes: Type.Integer(),
    sha256: Type.String({ description: 'Of the file; its ETag' }),
    fileName: Type.String(),
    expiresInSeconds: Type.Integer({ description: 'Fetch it before' }),
    createdAt: Type.String({ format: 'date-time' }),
  },
  { $id: 'Bundle' },
);
export type BundleBody = Static<typeof BundleBody>;

export const NewBundle = Type.Object(
  {
    serviceId: ServiceId,
    compression: Type.Optional(
      Type.Enum([...bundleCompressions], { description: 'None by default: a disk hardly shrinks, and packing it takes long' }),
    ),
  },
  closed,
);

export const NewImport = Type.Object({ source: BundleSource, ...ImportChoices.properties }, closed);
export type NewImport = Static<typeof NewImport>;
