import { pollUntil } from '../supervisor/poll-until.ts';
import { isRunning, readProcessStat, signalProcess } from '../supervisor/process-identity.ts';
import { libvirtFiles, listRunningQemus, readPid } from './libvirt-files.ts';
import { findKeeper, signalKeeper } from './start-libvirt.ts';

export interface StopLibvirtOptions {
  readonly directory: string;
  /** End the VMs first. Otherwise, as long as one runs, what holds it stays. */
  readonly vms: boolean;
}

export interface StopLibvirtResult {
  /** Whether there was a libvirt of ours to stop. */
  readonly wasRunning: boolean;
  readonly endedDomains: readonly string[];
  /** Domains that run on, with virtlogd and the reaper that hold them. */
  readonly leftDomains: readonly string[];
}

async function endQemus(directory: string): Promise<void> {
  for (const [signal, deadlineMs] of [
    ['SIGTERM', 5000],
    ['SIGKILL', 5000],
  ] as const) {
    for (const { pid } of listRunningQemus(directory)) process.kill(pid, signal);
    if (await pollUntil(() => listRunningQemus(directory).length === 0, { deadlineMs })) return;
  }
}

/** Ends the libvirt that `startLibvirt` left running, as far as no VM needs it. */
export async function stopLibvirt({ directory, vms }: StopLibvirtOptions): Promise<StopLibvirtResult> {
  const files = libvirtFiles(directory);
  const keeper = findKeeper(files);
  const before = listRunningQemus(directory);
  if (vms) await endQemus(directory);
  const left = listRunningQemus(directory);

  if (keeper && left.length === 0) {
    signalKeeper(files, keeper, 'SIGTERM');
    const gone = await pollUntil(() => !isRunning(keeper), { deadlineMs: 15_000 });
    // The daemons die with their keeper, see libvirt-keeper.sh.
    if (!gone) signalProcess(keeper, 'SIGKILL');
  } else if (keeper) {
    const libvirtd = readPid(files.libvirtdPid);
    signalKeeper(files, keeper, 'SIGUSR2');
    await pollUntil(() => readProcessStat(libvirtd)?.name !== 'libvirtd', { deadlineMs: 15_000 });
  }
  const names = (qemus: readonly { domain: string }[]) => qemus.map(({ domain }) => domain);
  return {
    wasRunning: keeper !== undefined || before.length > 0,
    endedDomains: names(before.filter(({ domain }) => !left.some((other) => other.domain === domain))),
    leftDomains: names(left),
  };
}
