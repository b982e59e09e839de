import { chown, mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { GuestActivities } from '../../workflows/contract/activities.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { PortMapping } from '../../workflows/contract/service-vm.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { backingFile } from '../images/bases-in-use.ts';
import { diskLimitBytes } from '../images/disk-limit.ts';
import { diskPath, instanceFolder, recipePayloadPath, serialLogPath } from '../images/host-paths.ts';
import { imageFile } from '../images/image-store.ts';
import { createOverlay } from '../images/overlay.ts';
import { tellProgress } from '../tell-progress.ts';
import { runTool } from '../run-tool.ts';
import { busyPorts } from '../network/busy-ports.ts';
import { filterGuests, filteredUid } from '../network/egress.ts';
import type { SavedImages } from '../store/images.ts';
import { findInstance, type Instance } from '../store/instances.ts';
import { replacePorts } from '../store/ports.ts';
import { sameFingerprint } from '../store/start-options.ts';
import type { Store } from '../store/store.ts';
import { cloneXml, domainXml, type DomainIdentity } from './domain-xml.ts';
import { endGuest, removeInstanceFiles } from './end-guest.ts';
import { domainName, type HostContext } from './host-context.ts';
import { answerAsItself, imageOf } from './guest-identity.ts';
import type { Hypervisor } from './hypervisor.ts';
import { awaitInstance } from './readiness.ts';
import { streamSavedGuest } from './restore-stream.ts';
import { runRecipe } from './run-recipe.ts';
import { keepDisk, saveGuest } from './save-guest.ts';
import { warmUp } from './warm-up.ts';

/** The activities that touch this host's hypervisor and disks. Each finds out first what a former attempt left. */
export function createGuestActivities(context: HostContext): GuestActivities {
  const { paths, store, hypervisor } = context;

  /** Starts the guest of a boot unless it runs already; what is left of other boots goes first. @returns the instance */
  const startOnce = async (
    serviceVmId: string,
    bootId: string,
    start: (identity: DomainIdentity, instance: Instance, filtered: Promise<void>) => Promise<void>,
  ): Promise<Instance> => {
    const name = domainName(context, serviceVmId);
    const [found, instance] = await Promise.all([hypervisor.findDomain(name), requireInstance(store, serviceVmId)]);
    if (found?.bootId === bootId && found.running) return instance;
    if (found) await hypervisor.destroyDomain(name);
    const ports = await bindablePorts(context, instance);
    const uid = filteredUid(ports);
    await mkdir(dirname(serialLogPath(paths, serviceVmId)), { recursive: true });
    if (uid !== undefined) await chown(diskPath(paths, serviceVmId), uid, uid);
    const filtered = uid === undefined ? Promise.resolve() : filterGuests(context.domainPrefix, [{ uid, egress: instance.spec.egress }]);
    // Whoever lets the guest run waits for it.
    filtered.catch(() => undefined);
    await start(
      {
        name,
        bootId,
        cloudletId: context.cloudletId,
        serviceVmId,
        diskPath: diskPath(paths, serviceVmId),
        serialLogPath: serialLogPath(paths, serviceVmId),
        diskLimitBytes: diskLimitBytes(instance),
        network: { ports, filteredUid: uid },
      },
      instance,
      filtered,
    );
    return instance;
  };

  return {
    cloneDisk: ({ serviceVmId, rung }) =>
      withHeartbeat(async (signal) => {
        const instance = await requireInstance(store, serviceVmId);
        const image = rung === 'restore' ? (await fittingState(hypervisor, instance)).disk : instance.images.disk;
        const limitBytes = diskLimitBytes(instance);
        await createOverlay(await imageFile(paths, image), diskPath(paths, serviceVmId), { limitBytes, signal });
      }),

    removeDisk: ({ serviceVmId }) => removeInstanceFiles(context, serviceVmId),

    bootGuest: ({ serviceVmId, bootId }) =>
      withHeartbeat(async () => {
        const { accelerator } = await hypervisor.fingerprint();
        await startOnce(serviceVmId, bootId, async (identity, instance, filtered) => {
          await filtered;
          await hypervisor.createDomain(domainXml({ ...identity, accelerator, ...devicesOf(context, instance) }));
        });
      }),

    restoreGuest: ({ serviceVmId, bootId, timeoutMs }) =>
      withHeartbeat(async (signal) => {
        const instance = await startOnce(serviceVmId, bootId, async (identity, instance, filtered) => {
          const [saved, base] = await Promise.all([fittingState(hypervisor, instance), backingFile(identity.diskPath)]);
          if (basename(base ?? '') !== saved.disk.sha256) throw unusable('was made anew after the disk had been cloned');
          const savedPath = await imageFile(paths, saved.memory);
          const fifoPath = join(instanceFolder(paths, serviceVmId), 'restore.fifo');
          await restoreClone(hypervisor, { savedPath, fifoPath, identity, filtered, signal });
        });
        const identity = { hypervisor, name: domainName(context, serviceVmId), serviceVmId, image: imageOf(instance) };
        await answerAsItself(identity, () => awaitInstance(context, instance, timeoutMs, signal));
      }),

    destroyGuest: ({ serviceVmId }) => withHeartbeat(() => endGuest(context, serviceVmId)),

    awaitGuest: ({ serviceVmId, timeoutMs }) =>
      withHeartbeat(async (signal) => awaitInstance(context, await requireInstance(store, serviceVmId), timeoutMs, signal)),

    warmUpGuest: ({ serviceVmId }) =>
      withHeartbeat(async (signal) => {
        const { spec, ports } = await requireInstance(store, serviceVmId);
        await warmUp(context.catalogue(spec.serviceId)?.warmUp ?? [], ports, signal);
      }),

    saveGuest: ({ serviceVmId, bootId }) =>
      withHeartbeat(async (signal) => saveGuest(context, await requireInstance(store, serviceVmId), bootId, signal)),

    runRecipe: ({ serviceVmId, progress }) =>
      withHeartbeat(async (signal, heartbeat) => {
        const tell = tellProgress(store, progress, heartbeat);
        await runRecipe(context, await requireInstance(store, serviceVmId), tell, signal);
      }),

    saveDisk: ({ serviceVmId }) =>
      withHeartbeat(async (signal) => {
        await hypervisor.destroyDomain(domainName(context, serviceVmId));
        return keepDisk(context, await requireInstance(store, serviceVmId), signal);
      }),

    findScreen: ({ serviceVmId }) =>
      withHeartbeat(async () => {
        const vncPort = await hypervisor.vncPort(domainName(context, serviceVmId));
        if (vncPort === undefined) throw new CloudletError('internal', 'The editing VM has no screen.');
        return { vncPort };
      }),
  };
}

/** What a guest is given by what it is for. */
const devicesOf = ({ paths }: HostContext, { purpose, operationId, memoryMib, vcpus }: Instance) => ({
  memoryMib,
  vcpus,
  screen: purpose === 'edit',
  ...(purpose === 'recipe' ? { payloadPath: recipePayloadPath(paths, operationId) } : {}),
});

async function requireInstance(store: Store, serviceVmId: string): Promise<Instance> {
  const instance = await findInstance(store, serviceVmId);
  if (!instance) throw new CloudletError('not-found', `There is no Service VM ${serviceVmId} with an image.`);
  return instance;
}

/**
 * The saved state of an instance's image, after a look at what it was made under: one that does not fit may be refused
 * by QEMU, or worse, may not.
 * @throws CloudletError `image-unavailable`
 */
async function fittingState(hypervisor: Hypervisor, { images: { saved } }: Instance): Promise<SavedImages> {
  if (!saved) throw new CloudletError('image-unavailable', 'The service has no saved state any more.');
  if (!sameFingerprint(saved.under, await hypervisor.fingerprint())) throw unusable('was made under another QEMU, machine type or CPU');
  return saved;
}

const unusable = (why: string): CloudletError => new CloudletError('image-unavailable', `The saved state of the service ${why}.`);

/** The instance's ports, those that something else on this host took meanwhile replaced. */
async function bindablePorts({ store, portRange }: HostContext, { serviceVmId, ports }: Instance): Promise<readonly PortMapping[]> {
  let current = ports;
  for (let busy = await busyPorts(current); busy.length > 0; busy = await busyPorts(current)) {
    current = await replacePorts(store, serviceVmId, busy, portRange);
  }
  return current;
}

interface Clone {
  readonly savedPath: string;
  readonly fifoPath: string;
  readonly identity: DomainIdentity;
  /** When the guest may run. */
  readonly filtered: Promise<void>;
  readonly signal: AbortSignal;
}

/** Restores from a FIFO that delivers the saved state as that of this instance. */
async function restoreClone(hypervisor: Hypervisor, { savedPath, fifoPath, identity, filtered, signal }: Clone): Promise<void> {
  await rm(fifoPath, { force: true });
  await runTool('mkfifo', ['-m', '600', fifoPath], { signal });
  const restored = new AbortController();
  try {
    const rewriteXml = (xml: string) => cloneXml(xml, identity);
    const over = AbortSignal.any([signal, restored.signal]);
    const stream = streamSavedGuest(savedPath, fifoPath, { rewriteXml, mayRun: filtered, signal: over });
    // A stream that fails leaves the hypervisor waiting for bytes: closing the FIFO is what ends its call.
    const restore = hypervisor.restoreDomain(fifoPath).finally(() => restored.abort());
    const [restoring, streaming] = await Promise.allSettled([restore, stream]);
    if (restoring.status === 'rejected') {
      const streamFault = streaming.status === 'rejected' && !restored.signal.aborted ? streaming.reason : undefined;
      throw streamFault ?? restoring.reason;
    }
  } finally {
    await rm(fifoPath, { force: true });
  }
}
