import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { openAssembly } from '../../../test/support/assembly.ts';
import { assembleDisk, type GuestPlan } from './assemble-disk.ts';

let directory: string;
let plan: GuestPlan;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'cloudlet-assemble-test-'));
  const overlay = path.join(directory, 'overlay');
  await mkdir(path.join(overlay, 'etc'), { recursive: true });
  await writeFile(path.join(overlay, 'etc/inittab'), '::sysinit:/etc/boot.sh\n');
  plan = { hostname: 'smallest', packages: [], overlay };
});
afterAll(() => rm(directory, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

async function assembledHash(): Promise<string> {
  await using assembly = await openAssembly();
  const { diskPath } = await assembleDisk(plan, assembly.context);
  return createHash('sha256')
    .update(await readFile(diskPath))
    .digest('hex');
}

test('equal inputs give equal bytes, whatever the umask', async () => {
  const first = await assembledHash();
  const umask = process.umask(0o077);
  try {
    expect(await assembledHash()).toBe(first);
  } finally {
    process.umask(umask);
  }
});

test('without package lists it names the remedy', async () => {
  const configuration = path.join(directory, 'apt.conf');
  await writeFile(configuration, `Dir::State::lists "${directory}/no-lists";\n`);
  vi.stubEnv('APT_CONFIG', configuration);
  await using assembly = await openAssembly();
  await expect(assembleDisk(plan, assembly.context)).rejects.toMatchObject({
    code: 'image-unavailable',
    message: expect.stringMatching(/linux-image-cloud-amd64.*"apt-get update"/),
  });
});

test('ends at once when aborted in the middle', async () => {
  const controller = new AbortController();
  const reason = new Error('not wanted any more');
  await using assembly = await openAssembly(controller.signal);
  const context = { ...assembly.context, progress: (percent: number) => percent >= 70 && controller.abort(reason) };
  await expect(assembleDisk(plan, context)).rejects.toBe(reason);
});
