import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { AssembleContext } from '../../workflows/contract/catalogue.ts';

/** Debian packages stay here between test runs; the folder is ignored by git and may be removed at any time. */
const cacheDirectory = path.join(import.meta.dirname, '../../.cloudlet/test-cache');

/** A context to assemble in, whose work directory is removed in the end, and what was reported to it. */
export interface Assembly extends AsyncDisposable {
  readonly context: AssembleContext;
  readonly percents: readonly number[];
}

export async function openAssembly(signal: AbortSignal = new AbortController().signal): Promise<Assembly> {
  const workDirectory = await mkdtemp(path.join(tmpdir(), 'cloudlet-assembly-'));
  await mkdir(cacheDirectory, { recursive: true });
  const percents: number[] = [];
  const silent = (): void => {};
  return {
    context: {
      workDirectory,
      cacheDirectory,
      signal,
      log: { info: silent, warn: silent, error: silent },
      progress: (percent) => percents.push(percent),
    },
    percents,
    [Symbol.asyncDispose]: () => rm(workDirectory, { recursive: true, force: true }),
  };
}
