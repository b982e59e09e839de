import { existsSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { LeftByGuest } from '../../workflows/contract/service-vm.ts';
import { msPerSecond } from '../../workflows/contract/units.ts';
import { diskPath, incomingDiskPath, incomingMemoryPath } from '../images/host-paths.ts';
import { adoptImage } from '../images/image-store.ts';
import { runTool } from '../run-tool.ts';
import { recordImage } from '../store/images.ts';
import type { Instance } from '../store/instances.ts';
import { findService } from '../store/services.ts';
import { GuestAgent } from './guest-agent.ts';
import { domainName, type HostContext } from './host-context.ts';
import { awaitInstance } from './readiness.ts';
import { parseSaveImageHeader, saveImageHeaderBytes } from './save-image.ts';

/** How long a guest that is to be saved is waited for at most: an admin is watching. */
const editedTimeoutMs = 60_000;

/**
 * Saves a running guest as two images: its memory, and its disk as a difference to the one it was booted from. The
 * guest is gone afterwards. A repeat finds how far the former attempt came.
 * @returns the disk alone where an admin worked in a guest that is gone: that work must not be lost
 */
export async function saveGuest(context: HostContext, instance: Instance, bootId: string, signal: AbortSignal): Promise<LeftByGuest> {
  const { paths, store, hypervisor, hostId } = context;
  const { serviceVmId, memoryMib, vcpus } = instance;
  await mkdir(paths.incoming, { recursive: true });
  const memoryPath = incomingMemoryPath(paths, serviceVmId);
  const name = domainName(context, serviceVmId);
  const under = await hypervisor.fingerprint();

  // Whoever asked for it may have died; libvirt saves on.
  await hypervisor.untilIdle(name, signal);
  const domain = await hypervisor.findDomain(name);
  if (domain?.bootId === bootId) {
    await rm(memoryPath, { force: true });
    if (instance.purpose === 'edit') {
      await awaitEdited(context, instance, signal);
      // So that its disk alone is worth booting, too. Guests without an agent do as well as they can.
      await new GuestAgent(hypervisor, name, signal).flush().catch(() => undefined);
    }
    signal.throwIfAborted();
    await hypervisor.saveDomain(name, memoryPath, signal);
  } else if (!(await isComplete(memoryPath))) {
    if (instance.purpose === 'edit') return keepDisk(context, instance, signal);
    throw new CloudletError('guest-unresponsive', 'The guest stopped before its state was saved. Build the service again.');
  }

  const { diskId } = await keepDisk(context, instance, signal);
  const memory = await adoptImage(paths, memoryPath, { signal });
  const memoryImage = await recordImage(store, hostId, { ...memory, kind: 'memory', virtualSizeBytes: null, backingId: null });
  return { diskId, memoryId: memoryImage.id, under, memoryMib, vcpus };
}

/** An admin may be quicker than the guest, or forget to start what was installed: no start could use such a state. */
async function awaitEdited(context: HostContext, instance: Instance, signal: AbortSignal): Promise<void> {
  // What the admin works in is up as soon as it runs; what starts from it later has to answer.
  const { readiness = instance.spec.readiness } = (await findService(context.store, instance.spec.serviceId))?.spec ?? {};
  if (readiness.kind === 'none') return;
  const timeoutMs = Math.min(readiness.timeoutSeconds * msPerSecond, editedTimeoutMs);
  try {
    await awaitInstance(context, { ...instance, spec: { ...instance.spec, readiness } }, timeoutMs, signal);
  } catch (error) {
    if (!(error instanceof CloudletError) || error.code !== 'guest-unresponsive') throw error;
    const remedy = 'Start the service in it and save again, or shut the guest down to keep its disk alone.';
    throw new CloudletError('guest-unresponsive', `${error.message} ${remedy}`, error.facts);
  }
}

/**
 * Makes the disk of an instance whose guest is gone an image: the difference to the one that it was booted from. A
 * repeat finds how far the former attempt came.
 */
export async function keepDisk(
  { paths, store, hostId }: HostContext,
  { serviceVmId, images: { disk: base } }: Instance,
  signal: AbortSignal,
): Promise<{ readonly diskId: string }> {
  await mkdir(paths.incoming, { recursive: true });
  const savedDiskPath = incomingDiskPath(paths, serviceVmId);
  if (!existsSync(savedDiskPath)) {
    // The difference names its base by file name alone: both lie in the same folder from now on.
    const overlay = diskPath(paths, serviceVmId);
    await runTool('qemu-img', ['rebase', '-u', '-f', 'qcow2', '-b', base.sha256, '-F', 'qcow2', overlay], { signal });
    await rename(overlay, savedDiskPath);
  }
  const kept = await adoptImage(paths, savedDiskPath, { signal });
  const { virtualSizeBytes } = base;
  const { id } = await recordImage(store, hostId, { ...kept, kind: 'disk', virtualSizeBytes, backingId: base.id });
  return { diskId: id };
}

/** libvirt writes the final magic last, so a file that begins with it is whole. */
async function isComplete(path: string): Promise<boolean> {
  const file = await open(path).catch(() => undefined);
  if (!file) return false;
  try {
    const header = Buffer.alloc(saveImageHeaderBytes);
    await file.read(header, 0, header.length, 0);
    parseSaveImageHeader(header);
    return true;
  } catch {
    return false;
  } finally {
    await file.close();
  }
}
