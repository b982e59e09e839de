import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { openLog, tailLog } from './log-file.ts';
import { pollUntil } from './poll-until.ts';

export interface ChildOptions {
  readonly argv: readonly [string, ...string[]];
  /** The whole environment of the child. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  /** Its standard output and error are appended there. */
  readonly logPath: string;
  /** What asks it to end. Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** How long it may take to end before it is killed. Default 10 s. */
  readonly stopDeadlineMs?: number;
  /** What it gets when we die, however we die. Default KILL. */
  readonly deathSignal?: 'KILL' | 'TERM' | 'INT' | 'QUIT';
  /** It is a Node process that tells us with `process.send('ready')` when it works. */
  readonly tellsReady?: boolean;
}

export interface Child {
  readonly pid: number;
  /** Settles when it has ended, with the reason in words, e.g. `ended by SIGKILL`. Never rejects. */
  readonly ended: Promise<string>;
  readonly hasEnded: () => boolean;
  /** Whether it has told us so, where it `tellsReady`. */
  readonly saidReady: () => boolean;
  /** Asks it to end, then makes it end; at once when `urgent` is aborted. Resolves when it is gone. */
  stop(urgent?: AbortSignal): Promise<void>;
}

const describeEnd = (code: number | null, signal: NodeJS.Signals | null): string =>
  signal === null ? `ended with status ${code}` : `ended by ${signal}`;

/**
 * Starts a process that dies with us, even when we are killed: `setpriv --pdeathsig` survives `kill -9` of the parent. It
 * has a session of its own, so that Ctrl-C reaches us alone and we end it in order.
 *
 * @throws CloudletError `internal` where the program cannot be started
 */
export function startChild(options: ChildOptions): Child {
  const log = openLog(options.logPath);
  let child;
  try {
    child = spawn('setpriv', ['--pdeathsig', options.deathSignal ?? 'KILL', '--', ...options.argv], {
      cwd: options.workingDir ?? '/',
      env: { ...options.environment },
      stdio: options.tellsReady ? ['ignore', log, log, 'ipc'] : ['ignore', log, log],
      detached: true,
    });
  } finally {
    closeSync(log);
  }
  const { pid } = child;
  if (pid === undefined) {
    child.on('error', () => {});
    throw new CloudletError('internal', `${options.argv[0]} cannot be started: setpriv (Debian package util-linux) is missing.`);
  }

  let gone = false;
  let ready = false;
  child.on('message', (message) => (ready ||= message === 'ready'));
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      gone = true;
      // What it started in its own group goes with it, or ports and files would stay taken.
      killGroup(pid);
      resolve(describeEnd(code, signal));
    });
  });
  child.on('error', () => {});

  return {
    pid,
    ended,
    hasEnded: () => gone,
    saidReady: () => ready,
    async stop(urgent) {
      if (gone) return;
      child.kill(options.stopSignal ?? 'SIGTERM');
      const deadline = AbortSignal.timeout(options.stopDeadlineMs ?? 10_000);
      const now = urgent ? AbortSignal.any([urgent, deadline]) : deadline;
      const kill = () => killGroup(pid);
      if (now.aborted) kill();
      now.addEventListener('abort', kill);
      await ended;
      now.removeEventListener('abort', kill);
    },
  };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}

export interface ReadyOptions {
  readonly title: string;
  readonly logPath: string;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
  readonly isReady: () => Promise<boolean> | boolean;
}

/**
 * Waits until a started child does its work. A child that ends first, or is not ready in time, is stopped.
 *
 * @throws CloudletError `internal` with the last lines of its log
 */
export async function waitUntilReady(child: Child, options: ReadyOptions): Promise<void> {
  let end: string | undefined;
  void child.ended.then((reason) => (end = reason));
  const answer = await pollUntil(async () => end !== undefined || (await options.isReady()), {
    deadlineMs: options.deadlineMs,
    ...(options.signal && { signal: options.signal }),
  });
  if (end === undefined && answer) return;
  const reason =
    end ?? (options.signal?.aborted ? 'was stopped before it was ready' : `was not ready within ${options.deadlineMs / 1000} s`);
  await child.stop(AbortSignal.abort());
  const tail = tailLog(options.logPath).map((line) => `\n    ${line}`);
  throw new CloudletError(
    'internal',
    `${options.title} ${reason}. Its log is ${options.logPath}${tail.length > 0 ? ':' : '.'}${tail.join('')}`,
  );
}
