import { execFile } from 'node:child_process';

export interface ProgramResult {
  /** Exit status; undefined where it could not be started, was killed or ran out of time. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly workingDir?: string;
}

/** Runs a program to its end. Never rejects: what went wrong is in the result. */
export function runProgram(argv: readonly [string, ...string[]], options: ProgramOptions): Promise<ProgramResult> {
  const [file, ...rest] = argv;
  return new Promise((resolve) => {
    const settings = {
      env: { ...options.environment },
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: 16 * 1024 * 1024,
      ...(options.workingDir !== undefined && { cwd: options.workingDir }),
    } as const;
    execFile(file, rest, settings, (error, stdout, stderr) => {
      const code = error?.code;
      const status = error === null ? 0 : typeof code === 'number' ? code : undefined;
      resolve({ status, stdout, stderr: typeof code === 'string' && stderr === '' ? (error?.message ?? '') : stderr });
    });
  });
}
