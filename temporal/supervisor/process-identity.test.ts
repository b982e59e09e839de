import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { identifyProcess, isRunning, readProcessStat, signalProcess } from './process-identity.ts';

describe('the identity of a process', () => {
  it('holds while the process runs, and never for another with its number', async () => {
    const child = spawn('sleep', ['60']);
    const identity = identifyProcess(child.pid ?? 0);
    if (!identity) throw new Error('sleep did not start');
    expect(isRunning(identity)).toBe(true);
    expect(isRunning({ ...identity, startTicks: identity.startTicks + 1 })).toBe(false);
    expect(isRunning({ ...identity, bootId: 'another boot' })).toBe(false);
    expect(signalProcess({ ...identity, startTicks: 1 }, 'SIGKILL')).toBe(false);
    const exit = once(child, 'exit');
    expect(signalProcess(identity, 'SIGKILL')).toBe(true);
    await exit;
    expect(isRunning(identity)).toBe(false);
    expect(signalProcess(identity, 'SIGKILL')).toBe(false);
  });

  it('reads a name that looks like other fields', async () => {
    const child = spawn('sh', ['-c', 'printf "a) Z 1 (" > /proc/self/comm; echo; read -r _'], { stdio: ['pipe', 'pipe', 'ignore'] });
    await once(child.stdout, 'data');
    expect(readProcessStat(child.pid ?? 0)).toMatchObject({ name: 'a) Z 1 (', parentPid: process.pid });
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  it('is undefined for what is not there', () => {
    expect(identifyProcess(0)).toBeUndefined();
  });
});
