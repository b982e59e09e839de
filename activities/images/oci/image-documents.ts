/** The documents of a container image, as far as they are read (OCI image specification 1.1; `docker save`). */
import { Type, type Static } from 'typebox';

const text = Type.String({ maxLength: 4096 });
const annotations = Type.Optional(Type.Record(Type.String(), Type.String()));
const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]));

export const Digest = Type.String({ pattern: '^sha256:[0-9a-f]{64}$' });

const Platform = Type.Object({ os: text, architecture: text, variant: Type.Optional(text) });
export const Descriptor = Type.Object({
  mediaType: Type.Optional(text),
  digest: Digest,
  size: Type.Integer({ minimum: 0 }),
  annotations,
  platform: Type.Optional(Platform),
});
export type Descriptor = Static<typeof Descriptor>;

export const Layout = Type.Object({ imageLayoutVersion: Type.String({ pattern: '^1\\.' }) });
export const Index = Type.Object({ manifests: Type.Array(Descriptor, { maxItems: 1000 }) });
export const Manifest = Type.Object({ config: Descriptor, layers: Type.Array(Descriptor) });

/** `manifest.json` of `docker save`. */
export const SavedImages = Type.Array(
  Type.Object({ Config: text, RepoTags: nullable(Type.Array(text)), Layers: nullable(Type.Array(text)) }),
  { minItems: 1, maxItems: 1000 },
);

const words = nullable(Type.Array(Type.String({ maxLength: 128 * 1024 }), { maxItems: 10_000 }));
const flags = nullable(Type.Record(Type.String(), Type.Unknown()));

/** How the image wants its program to be run. */
export const RunConfig = Type.Object({
  Entrypoint: words,
  Cmd: words,
  Env: words,
  User: nullable(text),
  WorkingDir: nullable(text),
  ExposedPorts: flags,
  Volumes: flags,
  StopSignal: nullable(text),
});
export type RunConfig = Static<typeof RunConfig>;

export const ImageConfig = Type.Object({
  os: text,
  architecture: text,
  config: nullable(RunConfig),
  rootfs: Type.Object({ diff_ids: nullable(Type.Array(Digest)) }),
});
export type ImageConfig = Static<typeof ImageConfig>;
