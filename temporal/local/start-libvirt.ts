import { spawn } from 'node:child_process';
import { closeSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { inheritedEnvironment } from '../config/inherited-environment.ts';
import { openLog, tailLog } from '../supervisor/log-file.ts';
import { pollUntil } from '../supervisor/poll-until.ts';
import { identifyProcess, isRunning, type ProcessIdentity, readProcessStat } from '../supervisor/process-identity.ts';
import { runProgram } from '../supervisor/run-program.ts';
import { startChild } from '../supervisor/start-child.ts';
import { type LibvirtFiles, prepareLibvirtFiles, readPid } from './libvirt-files.ts';

export interface LibvirtOptions {
  /** Folder of this libvirtd alone. */
  readonly directory: string;
  /** Absolute path of the data directory that holds the disks; the only one below closed folders that QEMU can reach. */
  readonly dataDir: string;
  readonly logPath: string;
  /** For tests: everything in a pid namespace of its own that dies with us, VMs included. Nothing is adopted. */
  readonly isolated?: boolean;
  readonly signal?: AbortSignal;
}

export interface Libvirt {
  /** For virsh and for node-libvirt. */
  readonly uri: string;
  readonly socketPath: string;
  /** It ran already: a former start had left it for the VMs. */
  readonly adopted: boolean;
  /** Settles with the reason when the daemons are gone for good. A libvirtd that dies is started again before that. */
  readonly ended: Promise<string>;
  /** Ends it all, where `isolated`; else it stays, since VMs need it: see `stopLibvirt`. */
  stop(): Promise<void>;
}

export const libvirtUri = (socketPath: string): string =>
  `qemu+unix:///system?socket=${encodeURIComponent(socketPath).replaceAll('%2F', '/')}`;

/** Whether somebody accepts connections there. */
export function socketAnswers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.setTimeout(2000);
    const answer = (value: boolean) => () => {
      socket.destroy();
      resolve(value);
    };
    socket.once('connect', answer(true)).once('error', answer(false)).once('timeout', answer(false));
  });
}

/** The first question after a start fills libvirt's knowledge of QEMU, which takes seconds: better now than later. */
async function knowsQemu(uri: string, signal?: AbortSignal): Promise<boolean> {
  signal?.throwIfAborted();
  const { status } = await runProgram(['virsh', '-c', uri, 'domcapabilities'], { environment: inheritedEnvironment(), timeoutMs: 60_000 });
  return status === 0;
}

/** @returns the keeper that a former start has left running */
export function findKeeper(files: LibvirtFiles): ProcessIdentity | undefined {
  try {
    const identity = JSON.parse(readFileSync(files.keeper, 'utf8')) as ProcessIdentity;
    return isRunning(identity) ? identity : undefined;
  } catch {
    return undefined;
  }
}

/** Sends a signal to the part of the keeper that understands it. @returns whether it was there */
export function signalKeeper(files: LibvirtFiles, keeper: ProcessIdentity, signal: 'SIGUSR1' | 'SIGUSR2' | 'SIGTERM'): boolean {
  const pid = readPid(files.keeperPid);
  if (readProcessStat(pid)?.parentPid !== keeper.pid) return false;
  return process.kill(pid, signal);
}

/**
 * @param isAlive asked before every try; false ends the wait
 * @throws CloudletError `internal` with the end of the log where libvirtd does not answer in time
 */
async function waitForLibvirt(uri: string, options: LibvirtOptions, socketPath: string, isAlive: () => boolean): Promise<void> {
  const poll = { deadlineMs: 60_000, ...(options.signal && { signal: options.signal }) };
  const outcome = await pollUntil(async () => {
    if (!isAlive()) return 'gone';
    return (await socketAnswers(socketPath)) && (await knowsQemu(uri, options.signal)) && 'ready';
  }, poll);
  if (outcome === 'ready') return;
  const tail = tailLog(options.logPath).map((line) => `\n    ${line}`);
  throw new CloudletError(
    'internal',
    `libvirtd does not answer. Its log is ${options.logPath}${tail.length > 0 ? ':' : '.'}${tail.join('')}`,
  );
}

const namespaceArgv = (files: LibvirtFiles, { directory, dataDir }: LibvirtOptions, flags: readonly string[]) =>
  ['unshare', '--mount', ...flags, '--', 'bash', files.script, 'enter', directory, dataDir] as const;

async function startIsolated(options: LibvirtOptions, files: LibvirtFiles): Promise<Libvirt> {
  const { logPath } = options;
  const flags = ['--pid', '--fork', '--kill-child', '--mount-proc'];
  // unshare --fork does not heed SIGTERM; with the first process of its namespace everything in it dies.
  const child = startChild({
    argv: namespaceArgv(files, options, flags),
    environment: inheritedEnvironment(),
    logPath,
    stopSignal: 'SIGKILL',
  });
  const uri = libvirtUri(files.socket);
  try {
    await waitForLibvirt(uri, options, files.socket, () => !child.hasEnded());
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { uri, socketPath: files.socket, adopted: false, ended: child.ended, stop: () => child.stop() };
}

/** In a session of its own and not our child in spirit: it outlives us, for the VMs. */
function startKeeper(options: LibvirtOptions, files: LibvirtFiles): ProcessIdentity {
  const log = openLog(options.logPath);
  const [file, ...argv] = namespaceArgv(files, options, []);
  const child = spawn(file, argv, { cwd: '/', env: inheritedEnvironment(), stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  child.on('error', () => {});
  child.unref();
  const identity = child.pid === undefined ? undefined : identifyProcess(child.pid);
  if (!identity) throw new CloudletError('internal', 'libvirt cannot be started: unshare (Debian package util-linux) is missing.');
  writeFileSync(files.keeper, JSON.stringify(identity), { mode: 0o600 });
  return identity;
}

function untilGone(keeper: ProcessIdentity): Promise<string> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (isRunning(keeper)) return;
      clearInterval(timer);
      resolve('ended');
    }, 500);
    timer.unref();
  });
}

/**
 * Starts libvirtd and virtlogd with a configuration of their own in a private mount namespace, under a reaper, and waits
 * until libvirtd answers and knows QEMU. They outlive us: the next start adopts them, with the VMs. Nothing outside
 * `directory` is changed.
 *
 * @throws CloudletError `internal` with the end of its log where it does not come up
 */
export async function startLibvirt(options: LibvirtOptions): Promise<Libvirt> {
  const files = prepareLibvirtFiles(options.directory);
  if (options.isolated) return startIsolated(options, files);
  const found = findKeeper(files);
  const keeper = found ?? startKeeper(options, files);
  const uri = libvirtUri(files.socket);
  await waitForLibvirt(uri, options, files.socket, () => {
    if (found) signalKeeper(files, found, 'SIGUSR1');
    return isRunning(keeper);
  });
  return { uri, socketPath: files.socket, adopted: found !== undefined, ended: untilGone(keeper), stop: () => Promise.resolve() };
}
