import type { VerifyActivities } from '../../workflows/contract/activities.ts';
import { formatBytes } from '../../workflows/contract/units.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { recordImageState } from '../store/image-verification.ts';
import type { Store } from '../store/store.ts';
import { tellProgress } from '../tell-progress.ts';
import { imagePath, type HostPaths } from './host-paths.ts';
import { hashFile } from './image-store.ts';

export interface VerifyContext {
  readonly hostId: string;
  readonly paths: HostPaths;
  readonly store: Store;
}

export const createVerifyActivities = ({ hostId, paths, store }: VerifyContext): VerifyActivities => ({
  verifyImage: ({ sha256, sizeBytes, progress: reported }) =>
    withHeartbeat(async (signal, heartbeat) => {
      const tell = tellProgress(store, reported, heartbeat);
      const onBytes = (bytesDone: number) => {
        const percent = Math.min(100, (100 * bytesDone) / Math.max(1, sizeBytes));
        tell(percent, reported?.message ?? 'Reading', { bytesDone, bytesTotal: sizeBytes });
      };
      const damage = await damageOf(imagePath(paths, sha256), { sha256, sizeBytes }, signal, onBytes);
      await recordImageState(store, { hostId, sha256, damage });
      return { damage };
    }),
});

/** What is wrong with a file of the image store, in words; null when it is what its name says. */
export async function damageOf(
  path: string,
  expected: { readonly sha256: string; readonly sizeBytes: number },
  signal?: AbortSignal,
  onBytes?: (bytes: number) => void,
): Promise<string | null> {
  try {
    const { sha256, sizeBytes } = await hashFile(path, { ...(signal ? { signal } : {}), ...(onBytes ? { onBytes } : {}) });
    if (sizeBytes !== expected.sizeBytes) return `it has ${formatBytes(sizeBytes)} instead of ${formatBytes(expected.sizeBytes)}`;
    return sha256 === expected.sha256 ? null : 'its content has changed';
  } catch (error) {
    signal?.throwIfAborted();
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 'it is gone';
    if (code === 'EIO') return 'the disk cannot read it';
    throw error;
  }
}
