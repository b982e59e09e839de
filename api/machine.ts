import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesPerKib } from '../workflows/contract/units.ts';

/** What a client may want to know of the machine before it chooses a cloudlet. */
export interface Machine {
  readonly memoryTotalBytes: number;
  readonly memoryFreeBytes: number;
  readonly cores: number;
  readonly cpuPercent: number;
  /** Text of `cpu MHz`, as the kernel writes it. */
  readonly cpuMhz: string;
  readonly cacheKib: number;
}

const sampleMs = 100;
/** A sample this old is not asked for again: many phones rank at once. */
const fresh = 1_000;

interface CpuTimes {
  readonly busy: number;
  readonly total: number;
}

async function readCpuTimes(): Promise<CpuTimes> {
  const line = (await readFile('/proc/stat', 'utf8')).split('\n', 1)[0]!;
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, ...rest] = line.split(/\s+/).slice(1).map(Number);
  const other = rest.slice(0, 3).reduce((sum, value) => sum + value, 0);
  const busy = user + nice + system + other;
  return { busy, total: busy + idle + iowait };
}

let sampled: { atMs: number; percent: Promise<number> } | undefined;

/** Use of all processors together, 0 to 100, over a tenth of a second. */
export function cpuPercent(): Promise<number> {
  const nowMs = performance.now();
  if (!sampled || nowMs - sampled.atMs > fresh) sampled = { atMs: nowMs, percent: sampleCpu() };
  return sampled.percent;
}

async function sampleCpu(): Promise<number> {
  const before = await readCpuTimes();
  await sleep(sampleMs);
  const after = await readCpuTimes();
  const total = after.total - before.total;
  return total === 0 ? 0 : Math.round((1000 * (after.busy - before.busy)) / total) / 10;
}

export async function readMachine(): Promise<Machine> {
  const [meminfo, cpuinfo, percent] = await Promise.all([
    readFile('/proc/meminfo', 'utf8'),
    readFile('/proc/cpuinfo', 'utf8'),
    cpuPercent(),
  ]);
  const memoryBytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1] ?? 0) * bytesPerKib;
  return {
    memoryTotalBytes: memoryBytes('MemTotal'),
    memoryFreeBytes: memoryBytes('MemFree'),
    cores: availableParallelism(),
    cpuPercent: percent,
    cpuMhz: /^cpu MHz\s*:\s*(\S+)/m.exec(cpuinfo)?.[1] ?? '0',
    cacheKib: Number(/^cache size\s*:\s*(\d+)/m.exec(cpuinfo)?.[1] ?? 0),
  };
}
