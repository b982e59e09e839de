import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inheritedEnvironment } from '../config/inherited-environment.ts';
import { pollUntil } from './poll-until.ts';
import { readProcessStat } from './process-identity.ts';
import { type Child, startChild, waitUntilReady } from './start-child.ts';

const isDead = (pid: number): boolean => (readProcessStat(pid)?.state ?? 'Z') === 'Z';

describe('startChild', () => {
  let folder = '';
  let logPath = '';
  let children: Child[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'start-child-'));
    logPath = join(folder, 'child.log');
    children = [];
  });
  afterEach(async () => {
    await Promise.all(children.map((child) => child.stop(AbortSignal.abort())));
    rmSync(folder, { recursive: true });
  });

  const start = (script: string, options: { stopDeadlineMs?: number } = {}): Child => {
    const child = startChild({ argv: ['sh', '-c', script], environment: inheritedEnvironment(), logPath, ...options });
    children.push(child);
    return child;
  };
  const logSays = (text: string) => pollUntil(() => readFileSync(logPath, 'utf8').includes(text), { deadlineMs: 5000 });

  it('says why it has ended', async () => {
    expect(await start('exit 3').ended).toBe('ended with status 3');
    expect(await start('kill -9 $$').ended).toBe('ended by SIGKILL');
    expect(await startChild({ argv: ['no-such-program'], environment: inheritedEnvironment(), logPath }).ended).toBe(
      'ended with status 127',
    );
    expect(readFileSync(logPath, 'utf8')).toContain('no-such-program');
  });

  it('gives it the environment that it was told, and nothing else', async () => {
    await startChild({ argv: ['/usr/bin/env'], environment: { PATH: '/usr/bin:/bin', ONLY: 'this' }, logPath }).ended;
    expect(readFileSync(logPath, 'utf8').trim().split('\n').toSorted()).toEqual(['ONLY=this', 'PATH=/usr/bin:/bin']);
  });

  it('asks it to end, and makes it end when it will not', async () => {
    const polite = start('trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.05; done');
    await logSays('up');
    await polite.stop();
    expect(await polite.ended).toBe('ended with status 0');
    expect(readFileSync(logPath, 'utf8')).toContain('bye');

    const stubborn = start('trap "" TERM; echo deaf; while :; do sleep 0.05; done', { stopDeadlineMs: 200 });
    await logSays('deaf');
    await stubborn.stop();
    expect(await stubborn.ended).toBe('ended by SIGKILL');
  });

  it('makes it end at once when it is urgent', async () => {
    const stubborn = start('trap "" TERM; echo deaf; while :; do sleep 0.05; done', { stopDeadlineMs: 600_000 });
    await logSays('deaf');
    const urgent = new AbortController();
    const stopped = stubborn.stop(urgent.signal);
    urgent.abort();
    await stopped;
    expect(stubborn.hasEnded()).toBe(true);
  });

  it('takes along what the child has started', async () => {
    const child = start('sleep 600 & echo pid $!; exit 0');
    await child.ended;
    const grandchild = Number(/pid (\d+)/.exec(readFileSync(logPath, 'utf8'))?.[1]);
    expect(await pollUntil(() => isDead(grandchild), { deadlineMs: 5000 })).toBe(true);
  });

  it('lets it die with us, even when we are killed', async () => {
    const script = `
      const { startChild } = await import(${JSON.stringify(import.meta.resolve('./start-child.ts'))});
      const child = startChild({ argv: ['sleep', '600'], environment: { PATH: process.env.PATH }, logPath: ${JSON.stringify(logPath)} });
      console.log(child.pid);
    `;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    // setpriv becomes sleep once it has asked for the signal.
    expect(await pollUntil(() => readProcessStat(pid)?.name === 'sleep', { deadlineMs: 5000 })).toBe(true);
    parent.kill('SIGKILL');
    expect(await pollUntil(() => isDead(pid), { deadlineMs: 5000 })).toBe(true);
  });

  it('is ready when it says so', async () => {
    const script = "process.on('SIGTERM', () => process.exit(0)); setTimeout(() => process.send('ready'), 50); setInterval(() => {}, 1000)";
    const child = startChild({ argv: [process.execPath, '-e', script], environment: inheritedEnvironment(), logPath, tellsReady: true });
    children.push(child);
    expect(child.saidReady()).toBe(false);
    await waitUntilReady(child, { title: 'Worker', logPath, deadlineMs: 10_000, isReady: child.saidReady });
    await child.stop();
    expect(await child.ended).toBe('ended with status 0');
  });

  it('tells the end of its log when it does not become ready', async () => {
    const ready = { title: 'Thing', logPath, isReady: () => false };
    const early = start('echo the reason; exit 4');
    await expect(waitUntilReady(early, { ...ready, deadlineMs: 60_000 })).rejects.toThrow(
      /^Thing ended with status 4. Its log is .*child.log:\n {4}the reason$/,
    );
    const late = start('while :; do sleep 0.05; done');
    await expect(waitUntilReady(late, { ...ready, deadlineMs: 100 })).rejects.toThrow('Thing was not ready within 0.1 s.');
    expect(late.hasEnded()).toBe(true);
    const unwanted = start('while :; do sleep 0.05; done');
    await expect(waitUntilReady(unwanted, { ...ready, deadlineMs: 60_000, signal: AbortSignal.timeout(50) })).rejects.toThrow(
      'was stopped before it was ready',
    );
    expect(unwanted.hasEnded()).toBe(true);
  });
});
