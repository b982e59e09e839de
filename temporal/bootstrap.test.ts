import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkoutDir } from './config/load-config.ts';
import { inheritedEnvironment } from './config/inherited-environment.ts';
import { pollUntil } from './supervisor/poll-until.ts';
import { readProcessStat } from './supervisor/process-identity.ts';

const lock = {
  lockfileVersion: 3,
  packages: { '': {}, 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.0', optional: true } },
};

/** A checkout that holds the bootstrap alone, so that nothing is installed into the real one. */
describe('bootstrap', () => {
  let folder = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bootstrap-'));
    cpSync(join(checkoutDir, 'temporal/bootstrap.mjs'), join(folder, 'temporal/bootstrap.mjs'));
    cpSync(join(checkoutDir, 'temporal/bootstrap'), join(folder, 'temporal/bootstrap'), { recursive: true });
    mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
    symlinkSync(process.execPath, join(folder, 'node_modules/.bin/node'));
    writeFileSync(join(folder, 'package.json'), '{}');
    writeLock(lock);
    writeFileSync(
      join(folder, 'node_modules/.package-lock.json'),
      JSON.stringify({ packages: { 'node_modules/a': { version: '1.0.0' } } }),
    );
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const writeLock = (content: object) => writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(content));
  const program = (source: string) => writeFileSync(join(folder, 'program.mjs'), source);
  const start = (...args: string[]) => {
    const argv = [join(folder, 'temporal/bootstrap.mjs'), '--skip-packages', '--run=program.mjs', ...args];
    const child = spawn(process.execPath, argv, { env: { ...inheritedEnvironment(), CLOUDLET_LOG_LEVEL: 'debug' } });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
    return { child, said, ended: once(child, 'close').then(([code]) => code as number) };
  };

  it('hands over to the project’s own Node with arguments, environment and exit status, and says nothing itself', async () => {
    program('console.log(process.argv.slice(2), process.env.CLOUDLET_LOG_LEVEL); process.exitCode = 42;');
    const { said, ended } = start('service', '--json', '--skip-npm');
    expect(await ended).toBe(42);
    expect(said).toEqual({ stdout: "[ 'service', '--json', '--skip-npm' ] debug\n", stderr: '' });
  });

  it('passes signals on, and tells how the program ended', async () => {
    program("process.on('SIGTERM', () => { console.log('got it'); process.exit(7); }); console.log('up'); setInterval(() => {}, 1000);");
    const { child, said, ended } = start();
    await pollUntil(() => said.stdout.includes('up'), { deadlineMs: 10_000 });
    child.kill('SIGTERM');
    expect(await ended).toBe(7);
    expect(said.stdout).toBe('up\ngot it\n');
    program("process.kill(process.pid, 'SIGKILL')");
    expect(await start().ended).toBe(128 + 9);
  });

  it('has the program end in order when it is killed itself', async () => {
    program("process.on('SIGTERM', () => process.exit(0)); console.log(process.pid); setInterval(() => {}, 1000);");
    const { child, said } = start();
    await pollUntil(() => said.stdout.includes('\n'), { deadlineMs: 10_000 });
    const pid = Number(said.stdout);
    child.kill('SIGKILL');
    expect(await pollUntil(() => (readProcessStat(pid)?.state ?? 'Z') === 'Z', { deadlineMs: 5000 })).toBe(true);
  });

  it('installs nothing where npm has brought what the lock file says', async () => {
    program('');
    expect(await start().ended).toBe(0);
    expect(existsSync(join(folder, 'node_modules/.cloudlet-installed'))).toBe(true);
  });

  it('installs where the lock file says something else, and says when that does not work', async () => {
    program('');
    await start().ended;
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ dependencies: { a: 'file:not-there.tgz' } }));
    writeLock({ ...lock, packages: { ...lock.packages, 'node_modules/a': { version: '1.0.1' } } });
    const { said, ended } = start();
    expect(await ended).toBe(1);
    expect(said.stderr).toMatch(/… npm dependencies\nnpm could not install the dependencies:\n {4}[^]*not-there\.tgz/);
    expect(said.stdout).toBe('');
  });

  it('says when the project’s own Node is missing', async () => {
    rmSync(join(folder, 'node_modules/.bin/node'));
    const { said, ended } = start();
    expect(await ended).toBe(1);
    expect(said.stderr).toContain('npm has not brought the Node of the project.');
    expect(existsSync(join(folder, 'node_modules/.cloudlet-installed'))).toBe(false);
  });

  it('knows the groups of packages', async () => {
    const child = spawn(process.execPath, [join(folder, 'temporal/bootstrap.mjs'), '--with=toys']);
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    expect((await once(child, 'close'))[0]).toBe(1);
    expect(stderr).toBe('There is no group of packages toys; there are start, test.\n');
  });

  it('needs nothing but what a bare Node has', () => {
    const sources = [
      'bootstrap.mjs',
      'bootstrap/step.mjs',
      'bootstrap/as-root.mjs',
      'bootstrap/debian-packages.mjs',
      'bootstrap/npm-dependencies.mjs',
    ];
    const imports = sources.flatMap((name) =>
      [...readFileSync(join(checkoutDir, 'temporal', name), 'utf8').matchAll(/from '([^']+)'/g)].map((match) => match[1] ?? ''),
    );
    expect(imports.filter((name) => !name.startsWith('node:') && !name.startsWith('./'))).toEqual([]);
  });
});
