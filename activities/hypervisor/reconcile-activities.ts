import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReconcileActivities } from '../../workflows/contract/activities.ts';
import { serviceVmWorkflowId } from '../../workflows/contract/ids.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { basesInUse } from '../images/bases-in-use.ts';
import type { HostPaths } from '../images/host-paths.ts';
import { forgetExpiredBundles } from '../store/bundles.ts';
import { forgetUnusedImages, isMakingImages } from '../store/images.ts';
import { installsInUse } from '../store/apps.ts';
import { liveInstances } from '../store/instances.ts';
import { runningOperations, settleLost } from '../store/operations.ts';
import { release } from '../store/reservation.ts';
import { recordEnd } from '../store/service-vms.ts';
import type { Store } from '../store/store.ts';
import { emptyTrash } from '../store/trash.ts';
import { releaseLostUploads } from '../store/uploads.ts';
import { endGuest, removeInstanceFiles } from './end-guest.ts';
import type { HostContext } from './host-context.ts';

export interface ReconcileContext extends HostContext {
  /** Whether an execution with this id is open. Throws where it cannot tell: nothing is retired on a guess. */
  readonly isOpen: (workflowId: string) => Promise<boolean>;
}

/** Serial logs outlive their instance so that people can read them; the oldest go. */
const keptSerialLogs = 200;

export function createReconcileActivities(context: ReconcileContext): ReconcileActivities {
  const { hostId, cloudletId, domainPrefix, paths, store, hypervisor, isOpen } = context;
  return {
    surveyHost: () =>
      withHeartbeat(async () => {
        const domains = (await hypervisor.listDomains()).filter(
          (domain) => domain.cloudletId === cloudletId && domain.name.startsWith(domainPrefix),
        );
        const known = new Set([
          ...domains.map(({ serviceVmId }) => serviceVmId),
          ...(await liveInstances(store, hostId)),
          ...(await readFolder(paths.instances)),
        ]);
        const orphans: string[] = [];
        for (const serviceVmId of known) {
          if (!(await isOpen(serviceVmWorkflowId(serviceVmId)))) orphans.push(serviceVmId);
        }
        const settledOperations = await settleLostOperations(context);
        return { domains: domains.length, orphans, settledOperations, removedFiles: await removeLeftovers(context) };
      }),

    retireOrphan: ({ serviceVmId }) =>
      withHeartbeat(async () => {
        await endGuest(context, serviceVmId);
        await removeInstanceFiles(context, serviceVmId);
        await release(store, serviceVmId);
        await recordEnd(store, serviceVmId, {
          state: 'failed',
          reason: 'lost',
          error: {
            code: 'internal',
            detail: 'The cloudlet lost track of this Service VM and cleaned up after it. Start it again.',
            facts: {},
          },
        });
      }),
  };
}

/** Operations that nobody will ever settle, since their workflow is over. */
async function settleLostOperations({ store, isOpen }: ReconcileContext): Promise<number> {
  let settled = 0;
  for (const { id, workflowId } of await runningOperations(store)) {
    if (await isOpen(workflowId)) continue;
    await settleLost(store, id);
    settled += 1;
  }
  return settled;
}

/** Names in a folder; none where it does not exist. */
const readFolder = (folder: string): Promise<string[]> =>
  readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });

/**
 * Removes what nobody is at work on. While an operation makes images nothing is touched: judging by age alone would
 * trust a wall clock that may jump.
 */
async function removeLeftovers({ paths, store, hostId }: ReconcileContext): Promise<number> {
  const removed = await oldestSerialLogs(paths);
  await emptyTrash(store);
  removed.push(...(await expiredBundles(paths, store, hostId)));
  await releaseLostUploads(store);
  const installs = await readFolder(paths.apps);
  const keptInstalls = await installsInUse(store);
  removed.push(...installs.filter((name) => !keptInstalls.has(name)).map((name) => join(paths.apps, name)));
  if (!(await isMakingImages(store))) {
    const kept = await forgetUnusedImages(store, hostId);
    const underOverlays = await basesInUse(paths);
    const images = await readFolder(paths.images);
    removed.push(
      ...(await readFolder(paths.incoming)).map((name) => join(paths.incoming, name)),
      ...images.filter((name) => !kept.has(name) && !underOverlays.has(name)).map((name) => join(paths.images, name)),
    );
  }
  for (const path of removed) await rm(path, { recursive: true, force: true });
  return removed.length;
}

/** Looked up before it is asked which are needed: one that is begun meanwhile is none of them. */
async function expiredBundles(paths: HostPaths, store: Store, hostId: string): Promise<string[]> {
  const files = await readFolder(paths.exports);
  const needed = await forgetExpiredBundles(store, hostId);
  if (needed === 'all') return [];
  return files.filter((name) => !needed.has(name.replace(/\.csvm$/, ''))).map((name) => join(paths.exports, name));
}

async function oldestSerialLogs(paths: HostPaths): Promise<string[]> {
  const logs = await Promise.all(
    (await readFolder(paths.serialLogs)).map(async (name) => {
      const path = join(paths.serialLogs, name);
      return { path, writtenAtMs: (await stat(path)).mtimeMs };
    }),
  );
  return logs
    .toSorted((a, b) => b.writtenAtMs - a.writtenAtMs)
    .slice(keptSerialLogs)
    .map(({ path }) => path);
}
