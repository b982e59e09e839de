import { mkdir, open, rm, statfs, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from '../../activities/run-tool.ts';
import { bytesPerMib } from '../../workflows/contract/units.ts';

/** A disk of its own for a folder, which can be full or read-only. */
export interface SmallDisk {
  /** Leaves so much of it free. */
  fill(leftMib: number): Promise<void>;
  /** Frees what `fill` took. */
  empty(): Promise<void>;
  setReadOnly(readOnly: boolean): Promise<void>;
  unmount(): Promise<void>;
}

/** `npm test` has a mount namespace of its own: what is mounted goes with it, even when it is killed. */
export async function mountSmallDisk(folder: string, sizeMib: number): Promise<SmallDisk> {
  await mkdir(folder, { recursive: true });
  await runTool('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m,mode=0755`, 'cloudlet-test', folder]);
  let filler: FileHandle | undefined;
  const empty = async () => {
    await filler?.close();
    filler = undefined;
  };
  return {
    async fill(leftMib) {
      await empty();
      // Without a name: nobody finds it, and it goes with its handle.
      filler = await openUnnamed(folder);
      const { bavail, bsize } = await statfs(folder);
      const chunk = Buffer.alloc(bytesPerMib);
      for (let left = bavail * bsize - leftMib * bytesPerMib; left > 0; left -= chunk.length) {
        await filler.write(chunk, 0, Math.min(left, chunk.length));
      }
    },
    empty,
    setReadOnly: async (readOnly) => void (await runTool('mount', ['-o', `remount,${readOnly ? 'ro' : 'rw'}`, folder])),
    async unmount() {
      await empty();
      // Whoever has a file of it open keeps that alone.
      await runTool('umount', ['--lazy', folder]);
    },
  };
}

async function openUnnamed(folder: string): Promise<FileHandle> {
  const path = join(folder, '.filler');
  const file = await open(path, 'w');
  await rm(path);
  return file;
}
