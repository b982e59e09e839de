import { readFile } from 'node:fs/promises';
import { availableParallelism, hostname, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesPerMib, bytesPerKib, msPerSecond } from '../../workflows/contract/units.ts';
import { diskSpace } from '../images/overlay.ts';
import { hostAddress } from '../network/host-address.ts';
import { heartbeatIntervalMs, recordHost } from '../store/hosts.ts';
import { sweepLeases } from '../store/leases.ts';
import type { AssembleLog } from '../../workflows/contract/catalogue.ts';
import type { HostContext } from './host-context.ts';
import { watchGuests } from './guest-watcher.ts';
import { keepPool, type PoolWatch } from './pool-keeper.ts';
import { watchTraffic } from './traffic-watcher.ts';
import type { WorkflowSignals } from './workflow-signals.ts';

export interface HostAgentOptions extends HostContext, Pick<PoolWatch, 'fillPool'> {
  readonly signals: WorkflowSignals;
  readonly dataDirectory: string;
  readonly networkAdapter?: string;
  /** What all Service VMs may hold together; absent = the machine's memory less what everything else needs. */
  readonly memoryMib?: number;
  readonly log: AssembleLog;
}

/** Left to the kernel, our own processes, PostgreSQL and Temporal. */
const memoryForOthersMib = 1536;

/**
 * What a host does on its own while its worker runs: keeps its row fresh, ends leases that ran out, keeps its warm
 * pool filled, watches guests and their traffic. Each loop goes on whatever one of its rounds runs into.
 * @returns when the signal has ended all of them
 */
export async function runHostAgent(options: HostAgentOptions, signal: AbortSignal): Promise<void> {
  const loop = (name: string, everyMs: number, round: () => Promise<void>) => repeat(name, everyMs, round, options.log, signal);
  await Promise.all([
    loop('heartbeat', heartbeatIntervalMs, () => heartbeat(options)),
    loop('leases', heartbeatIntervalMs, () => sweep(options)),
    loop('pool', heartbeatIntervalMs, () => keepPool(options)),
    loop('guests', msPerSecond, () => watchGuests(options, signal)),
    watchTraffic(options, loop),
  ]);
}

export type Loop = (name: string, everyMs: number, round: () => Promise<void>) => Promise<void>;

async function repeat(
  name: string,
  everyMs: number,
  round: () => Promise<void>,
  log: HostAgentOptions['log'],
  signal: AbortSignal,
): Promise<void> {
  let failing = false;
  while (!signal.aborted) {
    try {
      await round();
      if (failing) log.info({ loop: name }, 'Works again');
      failing = false;
    } catch (error) {
      // Said once, not every two seconds.
      if (!failing && !signal.aborted) log.warn({ loop: name, error }, 'A round failed; trying again');
      failing = true;
    }
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Writes what this host has and whether its hypervisor answers. */
export async function heartbeat(options: HostAgentOptions): Promise<void> {
  const { hostId, store, hypervisor, dataDirectory, networkAdapter } = options;
  const asked = await hypervisor.fingerprint().then(
    (fingerprint) => ({ fingerprint, hypervisorProblem: null }),
    (error: unknown) => ({ fingerprint: null, hypervisorProblem: error instanceof Error ? error.message : String(error) }),
  );
  await recordHost(store, hostId, {
    ...asked,
    name: hostname(),
    bootId: store.clock.bootId,
    vcpus: availableParallelism(),
    memoryMib: options.memoryMib ?? Math.max(0, Math.floor(totalmem() / bytesPerMib) - memoryForOthersMib),
    memoryAvailableMib: await memoryAvailableMib(),
    ...(await diskSpace(dataDirectory)),
    address: hostAddress(networkAdapter),
  });
}

/** What the kernel could give to new processes without swapping (proc(5), MemAvailable). */
async function memoryAvailableMib(): Promise<number> {
  const match = /^MemAvailable:\s+(\d+) kB/m.exec(await readFile('/proc/meminfo', 'utf8'));
  return Math.floor((Number(match?.[1] ?? 0) * bytesPerKib) / bytesPerMib);
}

async function sweep({ store, signals }: HostAgentOptions): Promise<void> {
  for (const serviceVmId of await sweepLeases(store)) await signals.leasesChanged(serviceVmId, { users: 0 });
}
