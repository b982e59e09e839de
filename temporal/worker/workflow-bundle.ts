import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { glob, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleWorkflowCode, type WorkflowBundle } from '@temporalio/worker';

const root = join(import.meta.dirname, '..', '..');
const workflowsPath = join(root, 'workflows', 'index.ts');

/**
 * The bundle of all workflows. Making it takes more than a second, so it is kept in `cacheDirectory` under a name that
 * changes with every source and every dependency.
 */
export async function workflowBundle(cacheDirectory: string): Promise<WorkflowBundle | { codePath: string }> {
  const codePath = join(cacheDirectory, `workflows-${await fingerprint()}.js`);
  if (existsSync(codePath)) return { codePath };
  const bundle = await bundleWorkflowCode({ workflowsPath, logger: silent });
  await mkdir(cacheDirectory, { recursive: true });
  await writeFile(`${codePath}.${process.pid}`, bundle.code);
  await rename(`${codePath}.${process.pid}`, codePath);
  return bundle;
}

async function fingerprint(): Promise<string> {
  const hash = createHash('sha256').update(process.version);
  const sources: string[] = [join(root, 'package-lock.json')];
  for await (const source of glob('workflows/**/*.ts', { cwd: root })) sources.push(join(root, source));
  for (const source of sources.toSorted()) hash.update(source).update(await readFile(source));
  return hash.digest('hex').slice(0, 16);
}

const nothing = (): void => undefined;
const silent = { log: nothing, trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };
