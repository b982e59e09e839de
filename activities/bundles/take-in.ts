import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImportChoices, SavedImages, UnpackedService } from '../../workflows/contract/bundle.ts';
import { completeSpec } from '../../workflows/contract/complete-spec.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { convertDisk, inspectDisk } from '../images/inspect-disk.ts';
import { adoptHashedImage, adoptImage } from '../images/image-store.ts';
import { inspectOverlay } from '../images/inspect-overlay.ts';
import { recordImage, type StoredImage } from '../store/images.ts';
import { requireImportable } from '../store/imports.ts';
import { parseSaveImageHeader, saveImageHeaderBytes } from '../hypervisor/save-image.ts';
import type { BundleContext } from './bundle-context.ts';
import type { UnpackedBundle } from './bundle-contents.ts';
import type { WrittenFile } from './hashed-file.ts';
import { refuse } from './refuse.ts';

/**
 * Makes images of what was unpacked, once all of it has been looked at.
 * @throws CloudletError `unsafe-image`, `unprocessable-bundle`, `invalid-input`, or why there can be no such service
 */
export async function takeIn(
  context: BundleContext,
  bundle: UnpackedBundle,
  choices: ImportChoices,
  folder: string,
  signal: AbortSignal,
): Promise<UnpackedService> {
  const { publisher, notes } = bundle;
  const { serviceId, spec } = describe(bundle, choices);
  await context.store.transaction((em) => requireImportable(em, serviceId, choices));
  const { virtualSizeBytes } = await inspectDisk(bundle.disk.path, bundle.disk.format, signal);
  if (bundle.saved) await inspectSaved(bundle.saved, bundle.disk.sha256, virtualSizeBytes, signal);

  const disk = await takeDisk(context, bundle, virtualSizeBytes, folder, signal);
  const saved = bundle.saved && (await takeSaved(context, bundle.saved, disk));
  return { serviceId, spec, diskId: disk.id, ...(saved ? { saved } : {}), publisher, notes };
}

function describe({ serviceId: written, spec }: UnpackedBundle, choices: ImportChoices): Pick<UnpackedService, 'serviceId' | 'spec'> {
  const serviceId = choices.serviceId ?? written;
  if (serviceId === undefined) throw new CloudletError('invalid-input', 'The bundle says no name that a service can have. Give it one.');
  const ports = choices.ports ?? spec.ports;
  if (!ports)
    throw new CloudletError('invalid-input', 'An OVA says nothing of ports. Say at which port of the guest clients reach the service.');
  const given = { ...spec, ports };
  // Other ports than those of the bundle are answered by another probe.
  if (choices.ports) delete given.readiness;
  try {
    completeSpec({ ...given, serviceId });
  } catch (error) {
    throw refuse(`what it says of the service is not valid (${(error as Error).message})`, error);
  }
  return { serviceId, spec: given };
}

async function takeDisk(
  { paths, store, hostId }: BundleContext,
  { disk }: UnpackedBundle,
  virtualSizeBytes: number,
  folder: string,
  signal: AbortSignal,
): Promise<StoredImage> {
  const record = (image: { sha256: string; sizeBytes: number }) =>
    recordImage(store, hostId, { sha256: image.sha256, sizeBytes: image.sizeBytes, kind: 'disk', virtualSizeBytes, backingId: null });
  if (disk.format === 'qcow2') {
    await adoptHashedImage(paths, disk.path, disk.sha256);
    return record(disk);
  }
  const converted = join(folder, 'disk.qcow2');
  await convertDisk(disk.path, disk.format, converted, signal);
  return record(await adoptImage(paths, converted, { signal }));
}

type Saved = NonNullable<UnpackedBundle['saved']>;

/** Signed by somebody we trust; damaged or made by another program it may be all the same. */
async function inspectSaved({ disk, memory }: Saved, baseSha256: string, virtualSizeBytes: number, signal: AbortSignal): Promise<void> {
  await inspectOverlay(disk.path, { name: baseSha256, virtualSizeBytes }, signal);
  const file = await open(memory.path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(saveImageHeaderBytes), 0, saveImageHeaderBytes, 0);
    parseSaveImageHeader(buffer.subarray(0, bytesRead));
  } catch (error) {
    throw refuse(`its saved state cannot be restored (${(error as Error).message})`, error);
  } finally {
    await file.close();
  }
}

async function takeSaved(
  { paths, store, hostId }: BundleContext,
  { disk, memory, under, memoryMib, vcpus }: Saved,
  base: StoredImage,
): Promise<SavedImages> {
  await adoptHashedImage(paths, disk.path, disk.sha256);
  await adoptHashedImage(paths, memory.path, memory.sha256);
  const { virtualSizeBytes, id: backingId } = base;
  const record = ({ sha256, sizeBytes }: WrittenFile, image: Pick<StoredImage, 'kind' | 'virtualSizeBytes' | 'backingId'>) =>
    recordImage(store, hostId, { sha256, sizeBytes, ...image });
  const savedDisk = await record(disk, { kind: 'disk', virtualSizeBytes, backingId });
  const savedMemory = await record(memory, { kind: 'memory', virtualSizeBytes: null, backingId: null });
  return { diskId: savedDisk.id, memoryId: savedMemory.id, under, memoryMib, vcpus };
}
