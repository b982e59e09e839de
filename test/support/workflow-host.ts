/**
 * A host without a hypervisor: its guests are entries of a map, its disks are small files. What it does with the
 * database and its folders, its undos and its reconciliation are the real ones.
 */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { createBundleActivities } from '../../activities/bundles/bundle-activities.ts';
import type { BundleRules } from '../../activities/bundles/bundle-context.ts';
import { signingKeyPath } from '../../activities/bundles/bundle-signature.ts';
import { endGuest, removeInstanceFiles } from '../../activities/hypervisor/end-guest.ts';
import { domainName, type HostContext } from '../../activities/hypervisor/host-context.ts';
import type { Hypervisor, OwnDomain } from '../../activities/hypervisor/hypervisor.ts';
import { createReconcileActivities, type ReconcileContext } from '../../activities/hypervisor/reconcile-activities.ts';
import { createWarmActivities, type WarmContext } from '../../activities/hypervisor/warm-activities.ts';
import { diskPath, incomingDiskPath, incomingMemoryPath, instanceFolder } from '../../activities/images/host-paths.ts';
import { createImageActivities } from '../../activities/images/image-activities.ts';
import { adoptImage } from '../../activities/images/image-store.ts';
import { createVerifyActivities } from '../../activities/images/verify-image.ts';
import { diskOfService, recordImage, type StoredImage } from '../../activities/store/images.ts';
import { takeUpClaim } from '../../activities/store/warm-service-vms.ts';
import { findInstance, type Instance } from '../../activities/store/instances.ts';
import type { HostActivities } from '../../workflows/contract/activities.ts';
import type { HypervisorFingerprint } from '../../workflows/contract/cloudlet.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { ImageMachine } from '../../workflows/contract/image-settings.ts';
import type { ServicePort } from '../../workflows/contract/service.ts';
import type { GuestStopped, GuestStopReason } from '../../workflows/contract/service-vm.ts';

export const scriptedFingerprint: HypervisorFingerprint = { accelerator: 'tcg', qemuVersion: '7.2.0', machine: 'q35', cpuModel: 'maximum' };

/** What every container image here exposes. */
export const scriptedPorts: readonly ServicePort[] = [{ name: 'tcp-80', protocol: 'tcp', guestPort: 80 }];

/** What every saved state that somebody brings is said of here. */
export const scriptedNote = 'The saved state was left out.';

/** What every OVA and saved state here says of its machine. */
export const scriptedMachine: ImageMachine = { vcpus: 2, memory: { minimumMib: 768, idealMib: 768 } };

/** How often an activity that waits looks again and says that it lives. */
export const beatMs = 50;

export class ScriptedHost {
  readonly domains = new Map<string, OwnDomain>();
  /** Ids of the boots that each instance had. */
  readonly boots = new Map<string, readonly string[]>();

  readonly hypervisor: Hypervisor = {
    fingerprint: async () => scriptedFingerprint,
    destroyDomain: async (name) => void this.domains.delete(name),
    findDomain: async (name) => this.domains.get(name),
    listDomains: async () => [...this.domains.values()],
    suspendDomain: async (name) => this.#setRunning(name, false),
    resumeDomain: async (name, bootId) => {
      if (this.domains.get(name)?.bootId !== bootId) return false;
      this.#setRunning(name, true);
      return true;
    },
    createDomain: neverAsked,
    restoreDomain: neverAsked,
    untilIdle: neverAsked,
    saveDomain: neverAsked,
    shutdownDomain: neverAsked,
    vncPort: neverAsked,
    monitor: neverAsked,
    askAgent: async () => ({ kind: 'absent' }),
    news: neverAsked,
    close: async () => undefined,
  };

  #setRunning(name: string, running: boolean): void {
    const domain = this.domains.get(name);
    if (!domain) throw new CloudletError('hypervisor-refused', 'There is no such domain.');
    this.domains.set(name, { ...domain, running });
  }

  guestOf(serviceVmId: string): OwnDomain | undefined {
    return [...this.domains.values()].find((domain) => domain.serviceVmId === serviceVmId);
  }

  /** The guest dies behind our back. @returns what the host's watcher would tell its workflow */
  loseGuest(serviceVmId: string, reason: GuestStopReason = 'guest-crashed'): GuestStopped {
    const { bootId, name } = this.guestOf(serviceVmId)!;
    this.domains.delete(name);
    return { bootId, reason, detail: 'The test ended it' };
  }

  #bundleRules({ paths }: ReconcileContext): BundleRules {
    return { policy: 'any', trustedPublishers: [], signingKeyPath: signingKeyPath(dirname(paths.exports)) };
  }

  activities(context: ReconcileContext & WarmContext): HostActivities {
    const { paths, store } = context;

    const startOnce = async (serviceVmId: string, bootId: string): Promise<void> => {
      const name = domainName(context, serviceVmId);
      if (this.domains.get(name)?.bootId === bootId) return;
      if (!existsSync(diskPath(paths, serviceVmId))) throw new CloudletError('hypervisor-refused', 'The guest has no disk.');
      this.boots.set(serviceVmId, [...(this.boots.get(serviceVmId) ?? []), bootId]);
      this.domains.set(name, { name, bootId, serviceVmId, cloudletId: context.cloudletId, running: true });
    };

    const answer = async (serviceVmId: string, timeoutMs: number): Promise<void> => {
      const deadline = performance.now() + timeoutMs;
      while (this.guestOf(serviceVmId) === undefined) {
        if (performance.now() > deadline) throw new CloudletError('guest-unresponsive', 'The guest did not answer in time.');
        Context.current().heartbeat();
        await Promise.race([sleep(beatMs), Context.current().cancelled]);
      }
    };

    const images = createImageActivities({ ...context, log: silentLog });
    return {
      ...createReconcileActivities(context),
      ...createWarmActivities(context),
      ...createVerifyActivities(context),
      ...createBundleActivities({ ...context, bundles: this.#bundleRules(context) }),
      discardPreparation: (input) => images.discardPreparation(input),
      destroyGuest: ({ serviceVmId }) => endGuest(context, serviceVmId),
      removeDisk: ({ serviceVmId }) => removeInstanceFiles(context, serviceVmId),

      cloneDisk: async ({ serviceVmId, rung }) => {
        const { images } = await requireInstance(context, serviceVmId);
        const image = rung === 'restore' ? images.saved?.disk : images.disk;
        if (!image) throw new CloudletError('image-unavailable', 'The service has no saved state any more.');
        await writeAnew(diskPath(paths, serviceVmId), image.sha256);
      },

      bootGuest: ({ serviceVmId, bootId }) => startOnce(serviceVmId, bootId),

      restoreGuest: async ({ serviceVmId, bootId, timeoutMs }) => {
        const fifoPath = join(instanceFolder(paths, serviceVmId), 'restore.fifo');
        await writeAnew(fifoPath, '');
        try {
          await startOnce(serviceVmId, bootId);
        } finally {
          await rm(fifoPath, { force: true });
        }
        await answer(serviceVmId, timeoutMs);
      },

      awaitGuest: ({ serviceVmId, timeoutMs }) => answer(serviceVmId, timeoutMs),

      claimGuest: async ({ serviceVmId, bootId }) => {
        await takeUpClaim(store, serviceVmId);
        const name = this.guestOf(serviceVmId)?.name ?? '';
        if (!(await this.hypervisor.resumeDomain(name, bootId)))
          throw new CloudletError('guest-unresponsive', 'The guest that waited is gone.');
      },

      warmUpGuest: async ({ serviceVmId }) => {
        if (!this.guestOf(serviceVmId)) throw new CloudletError('guest-unresponsive', 'There is no guest to warm up.');
      },

      saveGuest: async ({ serviceVmId, bootId }) => {
        const { images, memoryMib, vcpus } = await requireInstance(context, serviceVmId);
        const [memoryPath, savedDiskPath] = [incomingMemoryPath(paths, serviceVmId), incomingDiskPath(paths, serviceVmId)];
        const guest = this.guestOf(serviceVmId);
        if (guest?.bootId === bootId) {
          await writeAnew(memoryPath, `memory of ${bootId}`);
          this.domains.delete(guest.name);
        } else if (!existsSync(memoryPath)) {
          throw new CloudletError('guest-unresponsive', 'The guest stopped before its state was saved.');
        }
        if (!existsSync(savedDiskPath)) await rename(diskPath(paths, serviceVmId), savedDiskPath);
        const disk = await keep(context, savedDiskPath, 'disk', images.disk.id);
        const memory = await keep(context, memoryPath, 'memory');
        return { diskId: disk.id, memoryId: memory.id, under: scriptedFingerprint, memoryMib, vcpus };
      },

      runRecipe: async ({ serviceVmId }) => {
        if (!this.guestOf(serviceVmId)) throw new CloudletError('recipe-failed', 'There is no guest to run the recipe in.');
      },

      saveDisk: async ({ serviceVmId }) => {
        const { images } = await requireInstance(context, serviceVmId);
        const savedDiskPath = incomingDiskPath(paths, serviceVmId);
        this.domains.delete(domainName(context, serviceVmId));
        if (!existsSync(savedDiskPath)) await rename(diskPath(paths, serviceVmId), savedDiskPath);
        return { diskId: (await keep(context, savedDiskPath, 'disk', images.disk.id)).id };
      },

      findScreen: async ({ serviceVmId }) => {
        if (!this.guestOf(serviceVmId)) throw new CloudletError('internal', 'There is no guest with a screen.');
        return { vncPort: 5900 };
      },

      prepareDisk: async ({ operationId, source, spec }) => {
        if (source.kind === 'service') return { diskId: await diskOfService(store, source) };
        const disk = join(paths.incoming, operationId, 'disk.qcow2');
        await writeAnew(disk, `disk of ${operationId}`);
        const { id: diskId } = await keep(context, disk, 'disk');
        const saysMachine = source.kind === 'pair' || ('format' in source && source.format === 'ova');
        return {
          diskId,
          ...(spec.ports.length > 0 ? {} : { ports: scriptedPorts }),
          ...(saysMachine ? { machine: scriptedMachine } : {}),
          ...(source.kind === 'pair' ? { notes: [scriptedNote] } : {}),
        };
      },
    };

    /** Makes a file an image of this host. */
    async function keep({ hostId }: HostContext, path: string, kind: StoredImage['kind'], backingId: string | null = null) {
      const adopted = await adoptImage(paths, path);
      return recordImage(store, hostId, { ...adopted, kind, virtualSizeBytes: kind === 'disk' ? adopted.sizeBytes : null, backingId });
    }
  }
}

function neverAsked(): never {
  throw new Error('A scripted host has no hypervisor to ask for this.');
}

async function requireInstance({ store }: HostContext, serviceVmId: string): Promise<Instance> {
  const instance = await findInstance(store, serviceVmId);
  if (!instance) throw new CloudletError('not-found', `There is no Service VM ${serviceVmId} with an image.`);
  return instance;
}

async function writeAnew(path: string, content: string): Promise<void> {
  await rm(path, { force: true });
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

const nothing = (): void => undefined;
const silentLog = { info: nothing, warn: nothing, error: nothing };
