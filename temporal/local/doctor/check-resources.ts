import { existsSync } from 'node:fs';
import { readFile, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { bytesPerGib, bytesPerKib, bytesPerMib, formatBytes } from '../../../workflows/contract/units.ts';
import { type Check, type Finding, ok } from './check.ts';

interface Limits {
  readonly failBelowBytes: number;
  readonly warnBelowBytes: number;
}

const memoryLimits: Limits = { failBelowBytes: 512 * bytesPerMib, warnBelowBytes: 2 * bytesPerGib };
const diskLimits: Limits = { failBelowBytes: 500 * bytesPerMib, warnBelowBytes: 4 * bytesPerGib };

/** @param what e.g. `memory` */
export function judgeFree(what: string, freeBytes: number, limits: Limits, remedy: string): Finding {
  const finding = `${formatBytes(freeBytes)} of ${what} are free`;
  if (freeBytes >= limits.warnBelowBytes) return ok(finding);
  const status = freeBytes < limits.failBelowBytes ? 'fail' : 'warn';
  return { status, finding, cost: status === 'fail' ? 'the cloudlet may not start' : 'few Service VMs fit', remedy };
}

/** @returns bytes that processes can get without swapping, from the text of /proc/meminfo */
export const availableMemoryBytes = (meminfo: string): number => Number(/^MemAvailable:\s+(\d+) kB/m.exec(meminfo)?.[1] ?? 0) * bytesPerKib;

export const checkMemory: Check = {
  id: 'memory',
  title: 'Memory',
  async run() {
    const free = availableMemoryBytes(await readFile('/proc/meminfo', 'utf8'));
    return judgeFree('memory', free, memoryLimits, 'End other programs, or take a machine with more memory.');
  },
};

const nearestFolder = (path: string): string => (existsSync(path) ? path : nearestFolder(dirname(path)));

export const checkDisk: Check = {
  id: 'disk',
  title: 'Disk',
  async run({ dataDir }) {
    const { bavail, bsize } = await statfs(nearestFolder(dataDir.root));
    return judgeFree(`disk under ${dataDir.root}`, bavail * bsize, diskLimits, 'Free some, or set CLOUDLET_DATA_DIR to another disk.');
  },
};
