import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/**
 * Holds a file while it works, so that no other process does the same meanwhile. The kernel lets go of it when this
 * process ends, however it ends.
 * @param path of a file that is there
 */
export async function whileLocked<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  const descriptor = openSync(path, 'r');
  try {
    // A lock belongs to the opened file, which we share with the child, and not to the process that took it.
    await new Promise<void>((resolve, reject) => {
      const child = spawn('flock', ['3'], { stdio: ['ignore', 'ignore', 'inherit', descriptor] });
      child.once('error', reject);
      child.once('close', (status) => (status === 0 ? resolve() : reject(new Error(`${path} cannot be locked (flock: ${status}).`))));
    });
    return await work();
  } finally {
    closeSync(descriptor);
  }
}
