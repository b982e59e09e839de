import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { workflowBundle } from './workflow-bundle.ts';

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'workflow-bundle-'));
});
afterEach(() => rm(cache, { recursive: true }));

it('holds the workflows and nothing that only other processes need, for every execution runs all of it anew', async () => {
  await workflowBundle(cache);
  const kept = await workflowBundle(cache);
  const code = await readFile('codePath' in kept ? kept.codePath : '', 'utf8');
  const packages = [...code.matchAll(/!\*\*\* \.\/node_modules\/((?:@[^/]+\/)?[^/]+)/g)].map(([, name]) => name);
  expect(new Set(packages)).toEqual(new Set(['@temporalio/common', '@temporalio/workflow', 'long', 'ms', 'nexus-rpc']));
});
