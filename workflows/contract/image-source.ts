/** Where the disk of a new image comes from. */
import { Type, type Static } from 'typebox';
import { ServiceId } from './service.ts';

const closed = { additionalProperties: false } as const;

/** Formats that disks of strangers may have. Never guessed: who brings a disk says which it is. */
export const diskFormats = ['qcow2', 'raw', 'vmdk', 'vdi', 'vhdx'] as const;
export type DiskFormat = (typeof diskFormats)[number];

/** How a disk may be brought: bare, or in the archive of a whole virtual machine. */
export const sourceFormats = [...diskFormats, 'ova'] as const;
export type SourceFormat = (typeof sourceFormats)[number];

const Format = Type.Enum([...sourceFormats], {
  description: 'ova: its first disk is taken; description, memory and processors are those of its machine where the service names none',
});

const ImportedFile = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$',
  description: 'Name of a file in the import folder of the host',
});

export const CatalogueSource = Type.Object(
  { kind: Type.Literal('catalogue'), serviceId: ServiceId },
  { ...closed, title: 'catalogue', description: 'A plugin of this cloudlet assembles it' },
);

export const DiskSource = Type.Object(
  { kind: Type.Literal('disk'), file: ImportedFile, format: Format },
  { ...closed, title: 'disk', description: "A disk of one's own, checked as untrusted input" },
);

export const UploadSource = Type.Object(
  { kind: Type.Literal('upload'), uploadId: Type.String({ format: 'uuid' }), format: Format },
  { ...closed, title: 'upload', description: 'A disk that was uploaded; it is used up when the build succeeds' },
);

export const PairSource = Type.Object(
  {
    kind: Type.Literal('pair'),
    folder: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$',
      description: 'Name of a folder in the import folder of the host',
    }),
  },
  {
    ...closed,
    title: 'pair',
    description:
      'A disk and its saved state as pycloud keeps them: the only `name.qcow2` with a `name.qcow2.lqs` in the folder. The disk is checked as untrusted input; the state is made anew; memory and processors are those of the saved machine where the service names none',
  },
);

export const ServiceSource = Type.Object(
  {
    kind: Type.Literal('service'),
    serviceId: ServiceId,
    version: Type.Optional(Type.Integer({ minimum: 1, description: 'Which image of it; the present one where none is named' })),
  },
  { ...closed, title: 'service', description: 'What a service of this cloudlet has already' },
);

/** What Debian's cloud kernel of a guest runs. */
export const containerPlatforms = ['linux/amd64', 'linux/386'] as const;

const ofContainer = {
  kind: Type.Literal('container'),
  image: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 512,
      description: 'Which image of the archive, e.g. my/app:1.2; needed where it holds several',
    }),
  ),
  platform: Type.Optional(Type.Enum([...containerPlatforms], { description: 'linux/amd64 when absent' })),
  environment: Type.Optional(
    Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }), Type.String({ maxLength: 32_768 }), {
      description: "Variables set over the image's own; whoever may read operations in Temporal sees them",
    }),
  ),
  command: Type.Optional(
    Type.Array(Type.String({ maxLength: 32_768 }), { maxItems: 256, description: "In place of the image's CMD; its ENTRYPOINT stays" }),
  ),
};
const ofContainerToo = {
  ...closed,
  description: 'A container image (`docker save`, or an OCI layout in one tar), checked as untrusted input; its program is the service',
};

export const ContainerSource = Type.Object({ ...ofContainer, file: ImportedFile }, { ...ofContainerToo, title: 'container' });

export const UploadedContainerSource = Type.Object(
  { ...ofContainer, uploadId: Type.String({ format: 'uuid' }) },
  { ...ofContainerToo, title: 'uploaded container' },
);

const FileInGuest = {
  to: Type.String({ pattern: '^(/(?!\\.{1,2}(/|$))[A-Za-z0-9._@+-]+)+$', maxLength: 1000, description: 'Absolute path in the guest' }),
  executable: Type.Optional(Type.Boolean({ default: false })),
};

export const RecipeFile = Type.Union([
  Type.Object({ ...FileInGuest, from: ImportedFile }, closed),
  Type.Object({ ...FileInGuest, content: Type.String({ maxLength: 65_536 }) }, closed),
]);
export type RecipeFile = Static<typeof RecipeFile>;

export const RecipeBase = Type.Union([CatalogueSource, DiskSource, UploadSource, ServiceSource]);
export type RecipeBase = Static<typeof RecipeBase>;

export const RecipeSource = Type.Object(
  {
    kind: Type.Literal('recipe'),
    base: RecipeBase,
    packages: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-z0-9][a-z0-9+.-]{1,99}$' }), {
        maxItems: 100,
        description: 'Debian packages that are to be in it; where the base is one of the catalogue',
      }),
    ),
    files: Type.Optional(Type.Array(RecipeFile, { maxItems: 100, description: 'Files that are to be in it' })),
    commands: Type.Array(Type.String({ minLength: 1, maxLength: 4000 }), {
      maxItems: 100,
      description: 'Run by /bin/sh as root, one after the other; the first that fails ends the build',
    }),
  },
  { ...closed, title: 'recipe', description: 'A base that commands are run in, through the QEMU guest agent' },
);
export type RecipeSource = Static<typeof RecipeSource>;

export const ImageSource = Type.Union([
  CatalogueSource,
  DiskSource,
  UploadSource,
  PairSource,
  ServiceSource,
  ContainerSource,
  UploadedContainerSource,
  RecipeSource,
]);
export type ImageSource = Static<typeof ImageSource>;
