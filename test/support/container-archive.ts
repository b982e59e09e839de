/** Container images as archives, in the two forms in which they come; made here, byte by byte, honest or not. */
import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { tarArchive, type TarMember } from './tar-archive.ts';

export interface TestImage {
  /** Members of each layer, lowest first, or a layer's bytes. */
  readonly layers: readonly (readonly TarMember[] | { readonly bytes: Buffer })[];
  /** How the program is run, e.g. `{ Cmd: ['/bin/app'] }`. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly names?: readonly string[];
  readonly architecture?: string;
  readonly compression?: 'plain' | 'gzip' | 'zstd';
  /** Changes what the configuration says in whole. */
  readonly alter?: (config: Record<string, unknown>) => unknown;
}

export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const compressors = {
  plain: (bytes: Buffer) => bytes,
  gzip: (bytes: Buffer) => gzipSync(bytes),
  zstd: (bytes: Buffer) => zstdCompressSync(bytes),
};

interface Built {
  readonly config: Buffer;
  readonly blobs: readonly Buffer[];
}

function build({
  layers,
  config = { Cmd: ['/bin/app'] },
  architecture = 'amd64',
  compression = 'plain',
  alter = (given) => given,
}: TestImage): Built {
  const plain = layers.map((layer) => ('bytes' in layer ? layer.bytes : tarArchive(layer)));
  const document = { os: 'linux', architecture, config, rootfs: { type: 'layers', diff_ids: plain.map(digestOf) } };
  return { config: Buffer.from(JSON.stringify(alter(document))), blobs: plain.map(compressors[compression]) };
}

const hexOf = (bytes: Uint8Array): string => digestOf(bytes).slice('sha256:'.length);

/** As `docker save` wrote it before it wrote OCI layouts. */
export function dockerArchive(images: readonly TestImage[], extra: readonly TarMember[] = []): Buffer {
  const built = images.map((image) => ({ ...build(image), names: image.names ?? [] }));
  const blobs = new Map(built.flatMap(({ blobs }) => blobs.map((blob) => [hexOf(blob), blob] as const)));
  const manifest = built.map(({ config, blobs, names }) => ({
    Config: `${hexOf(config)}.json`,
    RepoTags: names.length > 0 ? names : null,
    Layers: blobs.map((blob) => `${hexOf(blob)}/layer.tar`),
  }));
  const configs = new Map(built.map(({ config }) => [`${hexOf(config)}.json`, config]));
  return tarArchive([
    ...[...blobs].flatMap(([hex, blob]) => [
      { name: `${hex}/`, type: '5' },
      { name: `${hex}/layer.tar`, content: blob },
    ]),
    ...[...configs].map(([name, content]) => ({ name, content })),
    { name: 'manifest.json', content: JSON.stringify(manifest) },
    ...extra,
  ]);
}

const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

export interface LayoutOptions {
  /** Blobs that are named and left out. */
  readonly without?: (blob: Buffer) => boolean;
  /** Puts the images into an index of their own, as images for several platforms are. */
  readonly nested?: boolean;
  readonly extra?: readonly TarMember[];
  /** Changes a manifest before it is hashed. */
  readonly alterManifest?: (manifest: Record<string, unknown>) => unknown;
}

/** An OCI layout in one file, as `skopeo copy … oci-archive:` and recent `docker save` write it. */
export function ociArchive(images: readonly TestImage[], options: LayoutOptions = {}): Buffer {
  const { without = () => false, nested = false, extra = [], alterManifest = (manifest) => manifest } = options;
  const blobs: Buffer[] = [];
  const descriptor = (bytes: Buffer, mediaType: string, more: object = {}) => {
    blobs.push(bytes);
    return { mediaType, digest: digestOf(bytes), size: bytes.length, ...more };
  };
  const manifests = images.flatMap((image) => {
    const { config, blobs: layers } = build(image);
    const manifest = alterManifest({
      schemaVersion: 2,
      config: descriptor(config, types.config),
      layers: layers.map((layer) => descriptor(layer, types.layer)),
    });
    const bytes = Buffer.from(JSON.stringify(manifest));
    const platform = { os: 'linux', architecture: image.architecture ?? 'amd64' };
    const named = (image.names ?? []).map((name) => ({ annotations: { 'org.opencontainers.image.ref.name': name } }));
    return (named.length > 0 ? named : [{}]).map((more) => descriptor(bytes, types.manifest, { platform, ...more }));
  });
  const inner = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests }));
  const index = nested ? { schemaVersion: 2, manifests: [descriptor(inner, types.index)] } : { schemaVersion: 2, manifests };
  const files = new Map(blobs.filter((blob) => !without(blob)).map((blob) => [`blobs/sha256/${hexOf(blob)}`, blob]));
  return tarArchive([
    { name: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'index.json', content: JSON.stringify(index) },
    ...[...files].map(([name, content]) => ({ name, content })),
    ...extra,
  ]);
}
