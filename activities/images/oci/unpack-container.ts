import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServicePort, ServiceSpec } from '../../../workflows/contract/service.ts';
import type { Ext4Root } from '../guest-disk/ext4-root.ts';
import type { Unpacking } from './apply-layer.ts';
import { openArchive } from './archive.ts';
import { chooseImage, type ImageChoice } from './choose-image.ts';
import { containerProcess, exposedPorts, withChoice, type ContainerProcess, type ProcessChoice } from './container-process.ts';
import { LayerTree } from './layer-tree.ts';
import { prepareRoot, readTreeFile } from './prepare-root.ts';
import { stageRoot } from './stage-root.ts';
import { unpackLayer } from './unpack-layer.ts';
import type { UnpackLimits } from './unpack-limits.ts';

export interface ContainerArchive extends Partial<ImageChoice>, ProcessChoice {
  /** Path of a `docker save` or of an OCI layout in one file. */
  readonly path: string;
  /** Of the service that is made of it. */
  readonly spec: Pick<ServiceSpec, 'serviceId' | 'ports'>;
}

export interface UnpackedContainer {
  readonly root: Omit<Ext4Root, 'spare'>;
  readonly process: ContainerProcess;
  readonly hostname: string;
  /** What the image EXPOSEs, where the service names no ports. */
  readonly ports?: readonly ServicePort[];
}

export interface UnpackContext {
  /** Exists, is empty, and nobody else on the host may enter it. */
  readonly workDirectory: string;
  readonly signal: AbortSignal;
  progress(percent: number, message: string): void;
}

/**
 * Everything that is done with a stranger's container image: it is checked, and its layers become one folder and a list of
 * settings. What its layers could do to a host is in `LayerTree` and `stageRoot`.
 * @throws CloudletError `unsafe-image`, `unprocessable-bundle`, `checksum-mismatch`, `invalid-input`, `capacity-exhausted` (disk)
 */
export async function unpackContainer(source: ContainerArchive, context: UnpackContext, limits: UnpackLimits): Promise<UnpackedContainer> {
  const { workDirectory, signal } = context;
  const contents = join(workDirectory, 'contents');
  await mkdir(contents);
  context.progress(0, 'Reading the archive');
  await using archive = await openArchive(source.path, workDirectory, limits, signal);
  const { config: image, layers } = await chooseImage(archive, { platform: 'linux/amd64', ...source }, limits);
  const config = withChoice(image.config ?? {}, source);
  const ports = source.spec.ports.length > 0 ? undefined : exposedPorts(config);

  const tree = new LayerTree(limits);
  const unpacking: Unpacking = { tree, contents, limits, signal, entries: 0, contentBytes: 0, nextContent: 0 };
  const allBytes = layers.reduce((sum, { member }) => sum + member.sizeBytes, 0);
  let doneBytes = 0;
  for (const [index, layer] of layers.entries()) {
    context.progress((90 * doneBytes) / allBytes, `Unpacking layer ${index + 1} of ${layers.length}`);
    await unpackLayer(unpacking, archive, layer, index);
    doneBytes += layer.member.sizeBytes;
  }

  const hostname = hostnameOf(source.spec);
  await prepareRoot(unpacking, config, hostname, layers.length);
  const accounts = { passwd: await readTreeFile(unpacking, ['etc', 'passwd']), group: await readTreeFile(unpacking, ['etc', 'group']) };
  const process = containerProcess(config, tree, accounts, hostname);
  const root = await stageRoot(unpacking, join(workDirectory, 'root'));
  return { root, process, hostname, ...(ports ? { ports } : {}) };
}

/** A host name made of a service's (RFC 1123). */
const hostnameOf = ({ serviceId }: Pick<ServiceSpec, 'serviceId'>): string =>
  serviceId
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-|-$/g, '');
