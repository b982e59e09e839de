/** The package as a stranger gets it: built, packed, installed elsewhere, and used on a real libvirtd. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LibvirtHost } from './support/libvirt-host.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');

let host: LibvirtHost;
let project: string;
beforeAll(async () => {
  host = await LibvirtHost.start('stranger');
  project = await mkdtemp(join(tmpdir(), 'node-libvirt-project-'));
});
afterAll(async () => {
  await host?.stop();
  await rm(project, { recursive: true, force: true });
});

const program = `
import { connect, ErrorCode, isLibvirtError } from 'node-libvirt';
const client = await connect(process.argv[2]);
const refusal = await client.domains.lookupByName('nobody').catch((error) => error);
console.log(await client.host.hostname(), isLibvirtError(refusal, ErrorCode.NO_DOMAIN));
await client.close();
`;

it('is installed and works', async () => {
  await run('npm', ['run', 'build'], { cwd: root });
  await run('npm', ['pack', join(root, 'dist'), '--pack-destination', project]);
  const [packed = ''] = await readdir(project);
  await writeFile(join(project, 'package.json'), '{ "type": "module", "private": true }');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', join(project, packed)], { cwd: project });
  await writeFile(join(project, 'program.js'), program);
  const { stdout } = await run(process.execPath, [join(project, 'program.js'), host.uri], { cwd: project });
  expect(stdout).toBe('stranger true\n');
  expect(await readdir(join(project, 'node_modules'))).toEqual(['.package-lock.json', 'node-libvirt']);
});
