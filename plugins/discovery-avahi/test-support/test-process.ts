/** Processes of a test: each is ended by its own id, and none outlives the test. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

export const run = promisify(execFile);

export interface TestProcess {
  readonly pid: number;
  /** What it has written so far, to either stream. */
  output(): string;
  /** Ends it as a crash would, and waits until it is gone. */
  kill(): Promise<void>;
}

/** @throws when the program cannot be started at all */
export async function startProcess(
  command: readonly [string, ...string[]],
  environment: Readonly<Record<string, string>> = {},
): Promise<TestProcess> {
  const [program, ...parameters] = command;
  const child: ChildProcess = spawn(program, parameters, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  await once(child, 'spawn');
  let written = '';
  child.stdout?.on('data', (chunk: Buffer) => (written += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (written += chunk.toString()));
  const exited = once(child, 'exit');
  return {
    pid: child.pid!,
    output: () => written,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
