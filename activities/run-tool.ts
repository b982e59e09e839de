import { execFile } from 'node:child_process';
import { CloudletError } from '../workflows/contract/errors.ts';

export interface ToolRun {
  /** Text for its standard input. */
  readonly input?: string;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/**
 * Runs a program and waits for it; it is killed when the signal or the time says so.
 * @returns its standard output
 * @throws CloudletError `capacity-exhausted` when the disk is full, `disk-read-only`, else `internal` with the tool's last words
 */
export function runTool(command: string, args: readonly string[], { input, signal, timeoutMs = 120_000 }: ToolRun = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: timeoutMs, maxBuffer: 16 * 1024 * 1024, killSignal: 'SIGKILL' as const, signal };
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      signal?.throwIfAborted();
      reject(toolFailure(command, error, stderr));
    });
    if (input === undefined) return;
    // A tool that ends before it has read everything says why by its status.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

function toolFailure(command: string, error: Error & { code?: unknown }, stderr: string): CloudletError {
  const lastWords = stderr.trim().split('\n').slice(-3).join(' ') || error.message;
  if (/No space left on device/i.test(stderr)) return diskFull(lastWords, error);
  if (/Read-only file system/i.test(stderr)) return diskReadOnly(lastWords, error);
  if (error.code === 'ENOENT')
    return new CloudletError('internal', `The program ${command} is missing. \`cloudlet doctor\` says what to install.`);
  return new CloudletError('internal', `${command} failed: ${lastWords}`, {}, { cause: error });
}

export const diskFull = (detail: string, cause?: unknown): CloudletError =>
  new CloudletError(
    'capacity-exhausted',
    `The disk of this host is full: ${detail}. Free some space and ask again.`,
    { resource: 'disk' },
    { cause },
  );

export const diskReadOnly = (detail: string, cause?: unknown): CloudletError =>
  new CloudletError(
    'disk-read-only',
    `The disk of this host is mounted read-only: ${detail}. Its file system may be damaged: have it checked, mount it writable, and ask again.`,
    {},
    { cause },
  );

/** Names ENOSPC and its kin `capacity-exhausted`, EROFS `disk-read-only`; other errors pass as they are. */
export function asDiskError(error: unknown): unknown {
  const { code, syscall, path, message } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(message, error);
  if (code === 'EROFS') return diskReadOnly(message, error);
  // Node's recursive mkdir says ENOENT instead: https://github.com/nodejs/node/issues/47098
  return code === 'ENOENT' && syscall === 'mkdir' ? diskReadOnly(`the folder ${path} cannot be made`, error) : error;
}
