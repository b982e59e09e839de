import type { Static } from 'typebox';
import { parseJson, type Archive, type Member } from './archive.ts';
import { sha256Digest } from './digest.ts';
import { ImageConfig, Index, Layout, Manifest, SavedImages, type Descriptor } from './image-documents.ts';
import { unprocessable, wrongChoice, wrongDigest } from './refusals.ts';
import type { UnpackLimits } from './unpack-limits.ts';

/** Which image of an archive is meant. */
export interface ImageChoice {
  /** As in `docker save`, e.g. `my/app:1.2`; may be left out where there is but one. */
  readonly image?: string | undefined;
  /** e.g. `linux/amd64` */
  readonly platform: string;
}

/** A layer, lowest first. */
export interface Layer {
  readonly member: Member;
  /** Of its bytes as they lie in the archive; a `docker save` of old says none. */
  readonly digest?: string;
  /** Of its bytes unpacked. */
  readonly diffId: string;
}

export interface ChosenImage {
  readonly config: ImageConfig;
  readonly layers: readonly Layer[];
}

interface Candidate {
  readonly names: readonly string[];
  readonly platform: string | undefined;
  open(): Promise<{ config: Member; configDigest?: string; layers: readonly Omit<Layer, 'diffId'>[] }>;
}

interface Manifested extends Candidate {
  readonly names: string[];
}

const indexTypes = new Set(['application/vnd.oci.image.index.v1+json', 'application/vnd.docker.distribution.manifest.list.v2+json']);
const nameAnnotations = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'];
const maximumNesting = 3;

/**
 * Finds the image in an archive of `docker save` or an OCI layout.
 * @throws CloudletError saying what is missing or wrong, and which images there are
 */
export async function chooseImage(archive: Archive, choice: ImageChoice, limits: UnpackLimits): Promise<ChosenImage> {
  const { config, configDigest, layers } = await choose(await candidates(archive), choice).open();
  const configBytes = await archive.read(config);
  const found = sha256Digest(configBytes);
  if (configDigest !== undefined && found !== configDigest) throw wrongDigest('its configuration', configDigest, found);
  const parsed = parseJson(configBytes, config.name, ImageConfig);
  const platform = `${parsed.os}/${parsed.architecture}`;
  if (platform !== choice.platform) {
    throw unprocessable(`it is made for ${platform}, and guests here are ${choice.platform}; save it for that (docker pull --platform)`);
  }
  const diffIds = parsed.rootfs.diff_ids ?? [];
  if (diffIds.length !== layers.length) throw unprocessable(`it has ${layers.length} layers and digests of ${diffIds.length}`);
  if (layers.length > limits.layers) throw unprocessable(`it has more than ${limits.layers} layers`);
  return { config: parsed, layers: layers.map((layer, index) => ({ ...layer, diffId: diffIds[index]! })) };
}

async function candidates(archive: Archive): Promise<readonly Candidate[]> {
  if (archive.find('index.json')) {
    if (archive.find('oci-layout')) await archive.json('oci-layout', Layout);
    const { manifests } = await archive.json('index.json', Index);
    const found = new Map<string, Manifested>();
    for (const descriptor of manifests) await collect(archive, descriptor, [], 0, found);
    return [...found.values()].filter(({ platform }) => platform !== 'index');
  }
  if (archive.find('manifest.json')) return (await archive.json('manifest.json', SavedImages)).map((saved) => ofSaved(archive, saved));
  throw unprocessable('it holds neither manifest.json (docker save) nor index.json (OCI layout)');
}

/** Follows indexes to manifests; each is looked at once, by however many names it goes. */
async function collect(
  archive: Archive,
  descriptor: Descriptor,
  inherited: readonly string[],
  nesting: number,
  found: Map<string, Manifested>,
): Promise<void> {
  const { digest, mediaType = '', platform, annotations = {} } = descriptor;
  const names = [...inherited, ...nameAnnotations.flatMap((key) => annotations[key] ?? [])];
  const known = found.get(digest);
  known?.names.push(...names);
  if (known) return;
  const isIndex = indexTypes.has(mediaType);
  found.set(digest, {
    names,
    platform: isIndex ? 'index' : platform && `${platform.os}/${platform.architecture}`,
    open: () => openManifest(archive, descriptor),
  });
  if (!isIndex) return;
  if (nesting === maximumNesting) throw unprocessable('its indexes are nested too deep');
  const { manifests } = parseJson(await readBlob(archive, descriptor), digest, Index);
  for (const child of manifests) await collect(archive, child, names, nesting + 1, found);
}

async function openManifest(archive: Archive, descriptor: Descriptor) {
  const manifest = parseJson(await readBlob(archive, descriptor), descriptor.digest, Manifest);
  return {
    config: requireBlob(archive, manifest.config),
    configDigest: manifest.config.digest,
    layers: manifest.layers.map((layer) => ({ member: requireBlob(archive, layer), digest: layer.digest })),
  };
}

function ofSaved(archive: Archive, { Config, RepoTags, Layers }: Static<typeof SavedImages>[number]): Candidate {
  return {
    names: RepoTags ?? [],
    platform: undefined,
    async open() {
      const digest = digestInName(Config);
      return {
        config: requireMember(archive, Config),
        ...(digest === undefined ? {} : { configDigest: digest }),
        layers: (Layers ?? []).map((name) => ({ member: requireMember(archive, name) })),
      };
    },
  };
}

function choose(candidates: readonly Candidate[], { image, platform }: ImageChoice): Candidate {
  const fitting = candidates.filter((candidate) => candidate.platform === undefined || candidate.platform === platform);
  const named = image === undefined ? fitting : fitting.filter(({ names }) => names.some((name) => isSameName(name, image)));
  const [first, second] = named;
  if (first && !second) return first;
  const known = [...new Set(candidates.flatMap(({ names }) => names))].slice(0, 20).join(', ') || 'without names';
  if (first) throw wrongChoice(`The archive holds ${named.length} images (${known}). Say which one is meant.`);
  if (fitting.length === 0) {
    const platforms = [...new Set(candidates.map((candidate) => candidate.platform))].join(', ') || 'none';
    throw unprocessable(`it holds no image for ${platform}, only for ${platforms}; save it for that (docker pull --platform)`);
  }
  throw wrongChoice(`The archive holds no image "${image}". Those in it: ${known}.`);
}

/** Registries and the default tag are often left out by people. */
const isSameName = (name: string, wanted: string): boolean =>
  [wanted, `${wanted}:latest`].some((full) => name === full || name === `docker.io/${full}` || name === `docker.io/library/${full}`);

function requireMember(archive: Archive, name: string): Member {
  const member = archive.find(name);
  if (!member) throw unprocessable(`"${name}" is named by its manifest and missing in the archive`);
  return member;
}

function requireBlob(archive: Archive, { digest, size }: Descriptor): Member {
  const member = requireMember(archive, `blobs/sha256/${digest.slice('sha256:'.length)}`);
  if (member.sizeBytes !== size) throw wrongDigest(`the blob of ${size} bytes`, digest, `${member.sizeBytes} bytes`);
  return member;
}

async function readBlob(archive: Archive, descriptor: Descriptor): Promise<Buffer> {
  const bytes = await archive.read(requireBlob(archive, descriptor));
  const found = sha256Digest(bytes);
  if (found !== descriptor.digest) throw wrongDigest('its manifest', descriptor.digest, found);
  return bytes;
}

/** `<hex>.json` of old, `blobs/sha256/<hex>` of late. */
const digestInName = (name: string): string | undefined => {
  const hex = /(?:^|\/)([0-9a-f]{64})(?:\.json)?$/.exec(name)?.[1];
  return hex && `sha256:${hex}`;
};
