import { serviceSpecDefaults } from '../../workflows/contract/service.ts';
import { bytesPerMib } from '../../workflows/contract/units.ts';
import type { Instance } from '../store/instances.ts';

/** For qcow2's own tables: 1 MiB, and a thousandth of what is written. */
const bookkeepingBytes = (growthBytes: number): number => bytesPerMib * Math.ceil(1 + growthBytes / 1000 / bytesPerMib);

/**
 * How large the file of an instance's disk may become; undefined where it becomes an image, whose author knows.
 *
 * QEMU itself holds it: the file has this size from the beginning, as a hole, and QEMU sees no more of it than that (a
 * storage slice). A write that needs more fails in the moment in which it is made. A watcher that looks now and then
 * would come too late for a guest that writes hundreds of megabytes a second, and a quota of the file system needs one
 * that has them.
 */
export function diskLimitBytes({ purpose, spec }: Pick<Instance, 'purpose' | 'spec'>): number | undefined {
  if (purpose === 'build' || purpose === 'edit' || purpose === 'recipe') return undefined;
  const growthBytes = (spec.diskGrowthMib ?? serviceSpecDefaults.diskGrowthMib) * bytesPerMib;
  return growthBytes + bookkeepingBytes(growthBytes);
}
