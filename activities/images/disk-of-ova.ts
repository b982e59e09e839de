import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AssembledDisk } from '../../workflows/contract/catalogue.ts';
import type { ImageSettings } from '../../workflows/contract/image-settings.ts';
import { inThread } from '../bundles/in-thread.ts';
import { asDiskError } from '../run-tool.ts';

/**
 * The first disk of an OVA, as it came, and what its machine is made of.
 * @param folder of the operation
 * @throws CloudletError as `unpackOva` says
 */
export async function diskOfOva(
  file: string,
  folder: string,
  signal: AbortSignal,
  progress: (percent: number, message: string) => void,
): Promise<AssembledDisk & ImageSettings> {
  const unpacked = join(folder, 'ova');
  await rm(unpacked, { recursive: true, force: true });
  await mkdir(unpacked, { recursive: true });
  const onBytes = (done: number, total: number): void => progress((40 * done) / Math.max(total, 1), 'Unpacking the OVA');
  try {
    const { disk, spec } = await inThread('unpackOva', { file, folder: unpacked }, { signal, onBytes });
    const { description, memory, vcpus } = spec;
    return {
      diskPath: disk.path,
      format: disk.format,
      machine: { ...(description ? { description } : {}), ...(memory ? { memory } : {}), ...(vcpus ? { vcpus } : {}) },
    };
  } catch (error) {
    throw asDiskError(error);
  }
}
