import { findSupervisor } from './data-dir-lock.ts';
import { pollUntil } from './poll-until.ts';
import { isRunning, signalProcess } from './process-identity.ts';

/**
 * Asks the supervisor of a data directory to end, and makes it end when it does not: its parts die with it.
 *
 * @param deadlineMs how long it may take
 * @returns whether one was running
 */
export async function stopSupervisor(runDir: string, deadlineMs = 60_000): Promise<boolean> {
  const supervisor = findSupervisor(runDir);
  if (!supervisor) return false;
  signalProcess(supervisor, 'SIGTERM');
  const gone = await pollUntil(() => !isRunning(supervisor), { deadlineMs });
  if (!gone) {
    signalProcess(supervisor, 'SIGKILL');
    await pollUntil(() => !isRunning(supervisor), { deadlineMs: 5000 });
  }
  return true;
}
