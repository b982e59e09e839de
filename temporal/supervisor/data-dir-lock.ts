import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { identifyProcess, isRunning, type ProcessIdentity } from './process-identity.ts';

export interface DataDirLock {
  release(): void;
}

const lockPath = (runDir: string): string => join(runDir, 'supervisor.lock');

/**
 * Takes the lock of a data directory. The kernel frees it when we die, however we die: `flock` locks the open file, which
 * it inherits from us and we keep.
 *
 * @returns undefined where another supervisor holds it
 */
export function takeDataDirLock(runDir: string): DataDirLock | undefined {
  const descriptor = openSync(lockPath(runDir), 'a+', 0o600);
  const { status } = spawnSync('flock', ['--nonblock', '3'], { stdio: ['ignore', 'ignore', 'ignore', descriptor] });
  if (status !== 0) {
    closeSync(descriptor);
    return undefined;
  }
  ftruncateSync(descriptor);
  writeSync(descriptor, JSON.stringify(identifyProcess(process.pid)));
  return { release: () => closeSync(descriptor) };
}

/** @returns the supervisor that holds the lock, undefined where none runs */
export function findSupervisor(runDir: string): ProcessIdentity | undefined {
  try {
    const identity = JSON.parse(readFileSync(lockPath(runDir), 'utf8')) as ProcessIdentity;
    return isRunning(identity) ? identity : undefined;
  } catch {
    return undefined;
  }
}
