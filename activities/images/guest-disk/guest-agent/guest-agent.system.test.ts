import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { compileGuestAgent } from './compile-guest-agent.ts';

/** Who cannot change anything of this host. */
const nobody = { uid: 65_534, gid: 65_534 };
const { signal } = new AbortController();
let folder: string;
let program: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guest-agent-'));
  await chmod(folder, 0o755);
  program = join(folder, 'guest-agent');
  await compileGuestAgent(folder, signal);
});
afterAll(() => rm(folder, { recursive: true }));

it('is the same bytes each time', async () => {
  const again = await mkdtemp(join(tmpdir(), 'guest-agent-'));
  expect((await compileGuestAgent(again, signal)).equals(await readFile(program))).toBe(true);
  await rm(again, { recursive: true });
});

it('makes the kernel draw a new seed, which takes an administrator', () => {
  expect(spawnSync(program, ['--reseed']).status).toBe(0);
  expect(spawnSync(program, ['--reseed'], nobody).status).toBe(constants.errno.EPERM);
});

describe('asked by a line', () => {
  let agent: ChildProcessByStdio<Writable, Readable, null>;
  let answers: AsyncIterator<string>;
  beforeEach(() => {
    agent = spawn(program, { ...nobody, stdio: ['pipe', 'pipe', 'ignore'] });
    answers = createInterface(agent.stdout.setEncoding('latin1'))[Symbol.asyncIterator]();
  });
  afterEach(() => agent.kill());

  const ask = async (line: string): Promise<string> => {
    agent.stdin.write(line);
    const { value } = (await answers.next()) as { value: string };
    return value;
  };
  const command = (execute: string, given?: object) => `${JSON.stringify({ execute, arguments: given })}\n`;

  it('answers with the number that it was given', async () => {
    expect(await ask(command('guest-sync', { id: 9_007_199_254_740_991 }))).toBe('{"return":9007199254740991}');
    expect(await ask('{"execute": "guest-sync", "arguments": {"id": 0}}\n')).toBe('{"return":0}');
    expect(await ask(command('guest-sync-delimited', { id: 42 }))).toBe('\u00ff{"return":42}');
    expect(await ask(command('guest-ping'))).toBe('{"return":{}}');
  });

  it('says when it cannot do it', async () => {
    expect(JSON.parse(await ask(command('guest-set-time', { time: 1e18 })))).toMatchObject({ error: { class: 'GenericError' } });
    expect(JSON.parse(await ask(command('guest-info')))).toMatchObject({ error: { class: 'CommandNotFound' } });
    const other = command('guest-exec', { path: '/bin/true' });
    expect(JSON.parse(await ask(other))).toMatchObject({ error: { class: 'CommandNotFound' } });
  });

  it('answers each line of several, whatever pieces they come in', async () => {
    const lines = [1, 2, 3].map((id) => command('guest-sync', { id })).join('');
    for (const piece of lines.match(/[^]{1,17}/g)!) agent.stdin.write(piece);
    const said = [await answers.next(), await answers.next(), await answers.next()].map(({ value }) => value as string);
    expect(said).toEqual(['{"return":1}', '{"return":2}', '{"return":3}']);
  });

  it('outlives what is longer than anything that it is asked, and what is no line at all', async () => {
    agent.stdin.write(Buffer.alloc(100_000, 'x'));
    expect(JSON.parse(await ask('\n'))).toMatchObject({ error: { class: 'CommandNotFound' } });
    agent.stdin.write(Buffer.alloc(300, 0));
    expect(JSON.parse(await ask('\n'))).toMatchObject({ error: { class: 'CommandNotFound' } });
    expect(await ask(command('guest-sync', { id: 7 }))).toBe('{"return":7}');
  });

  it('runs the hook of an image, or none, with whatever it was given', async () => {
    const hook = (arg: string, seed: string) => command('guest-exec', { path: '/etc/cloudlet/refresh', arg: [arg], 'input-data': seed });
    expect(JSON.parse(await ask(hook('0123456789abcdef0123456789abcdef', Buffer.alloc(32, 1).toString('base64'))))).toEqual({
      return: { pid: 1, exited: true },
    });
    expect(JSON.parse(await ask(hook('x'.repeat(1000), 'A'.repeat(4000))))).toEqual({ return: { pid: 1, exited: true } });
    expect(JSON.parse(await ask(hook('', '')))).toEqual({ return: { pid: 1, exited: true } });
    expect(JSON.parse(await ask(command('guest-exec-status', { pid: 1 })))).toEqual({ return: { exited: true, exitcode: 0 } });
  });
});
