import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findSupervisor } from './data-dir-lock.ts';
import { pollUntil } from './poll-until.ts';
import { readProcessStat } from './process-identity.ts';
import { stopSupervisor } from './stop-supervisor.ts';

const moduleUrl = (name: string): string => JSON.stringify(import.meta.resolve(name));

/** A program that supervises two real processes; `deaf` ones do not end when asked. */
const program = (folder: string, deaf: boolean): string => `
  const { supervise } = await import(${moduleUrl('./supervise.ts')});
  const { processPart } = await import(${moduleUrl('./process-part.ts')});
  const { lineReport } = await import(${moduleUrl('./report.ts')});
  const script = ${JSON.stringify(`${deaf ? 'trap "" TERM;' : ''} echo $$ > "$1"; while :; do sleep 0.05; done`)};
  const part = (name, needs) => processPart({
    name, title: name, needs, detail: '', ready: async () => true, stopDeadlineMs: 600000,
    argv: ['sh', '-c', script, 'sh', ${JSON.stringify(folder)} + '/' + name + '.pid'], environment: () => ({ PATH: process.env.PATH }),
  });
  process.exitCode = await supervise({
    plan: () => [part('first'), part('second', ['first'])],
    report: lineReport((text) => process.stdout.write(text)),
    runDir: ${JSON.stringify(folder)}, logDir: ${JSON.stringify(folder)},
    onReady: () => console.log('READY'), onStopping: () => console.log('STOPPING'),
  });
`;

describe('supervise', () => {
  let folder = '';
  let output = '';
  const supervisors: ChildProcess[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'supervise-'));
    mkdirSync(join(folder, 'logs'));
    output = '';
  });
  afterEach(() => {
    for (const supervisor of supervisors.splice(0)) supervisor.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  function start(deaf = false): ChildProcess {
    const supervisor = spawn(process.execPath, ['--input-type=module', '-e', program(folder, deaf)], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [supervisor.stdout, supervisor.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    supervisors.push(supervisor);
    return supervisor;
  }
  const says = (text: string, deadlineMs = 15_000) => pollUntil(() => output.includes(text), { deadlineMs });
  const pidOf = (name: string): number => Number(readFileSync(join(folder, `${name}.pid`), 'utf8'));
  const isAlive = (pid: number): boolean => !['Z', undefined].includes(readProcessStat(pid)?.state);
  const bothDead = (pids: readonly number[]) => pollUntil(() => pids.every((pid) => !isAlive(pid)), { deadlineMs: 10_000 });
  const pidsWritten = () =>
    pollUntil(() => [pidOf('first'), pidOf('second')].every(isAlive) && [pidOf('first'), pidOf('second')], { deadlineMs: 5000 });

  it('starts a killed child again, and ends all on SIGINT', async () => {
    const supervisor = start();
    expect(await says('READY')).toBe(true);
    const [first = 0, second = 0] = (await pidsWritten()) ?? [];
    process.kill(first, 'SIGKILL');
    expect(await says('first ended by SIGKILL; it is started again.')).toBe(true);
    expect(await pollUntil(() => pidOf('first') !== first && isAlive(pidOf('first')), { deadlineMs: 5000 })).toBe(true);
    expect(pidOf('second')).toBe(second);
    const exit = once(supervisor, 'exit');
    supervisor.kill('SIGINT');
    expect(await exit).toEqual([0, null]);
    expect(output).toContain('STOPPING');
    expect(await bothDead([pidOf('first'), second])).toBe(true);
  });

  it('ends its children when it is killed, and leaves no lock behind', async () => {
    const supervisor = start();
    await says('READY');
    const pids = (await pidsWritten()) ?? [];
    expect(pids).toHaveLength(2);
    supervisor.kill('SIGKILL');
    expect(await bothDead(pids)).toBe(true);
    output = '';
    start();
    expect(await says('READY')).toBe(true);
  });

  it('is the only one on its data directory', async () => {
    const supervisor = start();
    await says('READY');
    expect(findSupervisor(folder)?.pid).toBe(supervisor.pid);
    const second = start();
    expect((await once(second, 'exit'))[0]).toBe(1);
    expect(output).toContain(`A cloudlet already runs on this data directory (process ${supervisor.pid}).`);
    expect(isAlive(supervisor.pid ?? 0)).toBe(true);
  });

  it('waits for children that take their time, until it is asked again', async () => {
    const supervisor = start(true);
    await says('READY');
    const pids = (await pidsWritten()) ?? [];
    supervisor.kill('SIGINT');
    await says('STOPPING');
    // The echo of the same Ctrl-C, as npm passes it on.
    supervisor.kill('SIGINT');
    // Past the time in which a signal counts as an echo.
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(pids.every(isAlive)).toBe(true);
    const exit = once(supervisor, 'exit');
    supervisor.kill('SIGINT');
    expect(await exit).toEqual([0, null]);
    expect(await bothDead(pids)).toBe(true);
  });

  it('is ended from outside', async () => {
    expect(await stopSupervisor(folder)).toBe(false);
    start();
    await says('READY');
    expect(await stopSupervisor(folder)).toBe(true);
    expect(findSupervisor(folder)).toBeUndefined();
    const deaf = start(true);
    await says('READY');
    await pollUntil(() => findSupervisor(folder)?.pid === deaf.pid, { deadlineMs: 5000 });
    expect(await stopSupervisor(folder, 200)).toBe(true);
    expect(findSupervisor(folder)).toBeUndefined();
  });
});
