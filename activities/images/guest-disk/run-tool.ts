import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { CloudletError } from '../../../workflows/contract/errors.ts';
import { diskFull } from './disk-full.ts';
import { packageOfTool, type HostTool } from './host-tools.ts';
import { imageTimeSeconds } from './image-time.ts';

export interface RunToolOptions {
  readonly workingDirectory?: string;
  /** Called with each line of its standard output as it comes. */
  onLine?(line: string): void;
}

/** A program that is none of the host's tools, e.g. one from an unpacked package. */
export type ProgramPath = `/${string}`;

const killAfterMs = 2000;
const quotedErrorCharacters = 600;

/**
 * Runs a tool to its end, without a shell.
 * @returns its standard output
 * @throws CloudletError with the tool's last words when it fails or is missing; the signal's reason when aborted, after
 *   the tool and all that it started have ended
 */
export async function runTool(
  tool: HostTool | ProgramPath,
  args: readonly string[],
  signal: AbortSignal,
  options: RunToolOptions = {},
): Promise<string> {
  signal.throwIfAborted();
  // A process group of its own, because apt-get and syslinux start further processes that must end with them.
  const child = spawn(tool, args, {
    cwd: options.workingDirectory,
    env: toolEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let killTimer: NodeJS.Timeout | undefined;
  const abort = (): void => {
    endGroup(child, 'SIGTERM');
    killTimer = setTimeout(() => endGroup(child, 'SIGKILL'), killAfterMs);
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    const { exit, output, errors } = await readToEnd(child, options);
    signal.throwIfAborted();
    if (exit !== 'exit status 0') throw toolFailure(tool, exit, errors || output);
    return output;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw toolMissing(tool, error);
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    clearTimeout(killTimer);
  }
}

function readToEnd(child: ChildProcess, options: RunToolOptions): Promise<{ exit: string; output: string; errors: string }> {
  return new Promise((resolve, reject) => {
    let output = '';
    let errors = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (errors = (errors + chunk).slice(-quotedErrorCharacters)));
    if (options.onLine && child.stdout) createInterface(child.stdout).on('line', (line) => options.onLine?.(line));
    child.once('error', reject);
    child.once('close', (code, signalName) => {
      resolve({ exit: signalName === null ? `exit status ${code}` : `ended by ${signalName}`, output, errors });
    });
  });
}

function endGroup(child: ChildProcess, signalName: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signalName);
  } catch {
    // The group has ended already.
  }
}

/** Administrators' tools are outside an ordinary user's PATH; the times make equal inputs give equal bytes. */
function toolEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PATH: `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`,
    LC_ALL: 'C',
    SOURCE_DATE_EPOCH: String(imageTimeSeconds),
    E2FSPROGS_FAKE_TIME: String(imageTimeSeconds),
    MKE2FS_CONFIG: '/dev/null',
    MTOOLSRC: '/dev/null',
  };
}

function toolFailure(tool: string, exit: string, words: string): CloudletError {
  const lastWords = words.trim().slice(-quotedErrorCharacters) || 'It said nothing.';
  if (/no space left on device/i.test(lastWords)) return diskFull(`${tool} said: ${lastWords}`);
  return new CloudletError('image-unavailable', `${tool} failed (${exit}) while a guest disk was assembled. Its last words: ${lastWords}`);
}

function toolMissing(tool: HostTool | ProgramPath, cause: Error): CloudletError {
  const remedy = isHostTool(tool)
    ? `Install the Debian package ${packageOfTool[tool]} and try again.`
    : 'Its package brought no such file.';
  return new CloudletError('image-unavailable', `${tool} is not there. ${remedy}`, {}, { cause });
}

const isHostTool = (tool: string): tool is HostTool => Object.hasOwn(packageOfTool, tool);
