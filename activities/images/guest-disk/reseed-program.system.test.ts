import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { reseedProgram } from './reseed-program.ts';

const nobody = 65_534;
let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reseed-'));
  await chmod(folder, 0o755);
  path = join(folder, 'reseed');
  await writeFile(path, reseedProgram(), { mode: 0o755 });
});
afterAll(() => rm(folder, { recursive: true }));

it('makes the kernel draw a new seed, which takes an administrator', () => {
  expect(execFileSync(path)).toHaveLength(0);
  const notPermitted = 256 - constants.errno.EPERM;
  expect(() => execFileSync(path, { uid: nobody, gid: nobody })).toThrow(expect.objectContaining({ status: notPermitted }) as Error);
});
