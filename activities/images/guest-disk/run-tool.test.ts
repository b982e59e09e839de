import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { runTool } from './run-tool.ts';

const never = new AbortController().signal;
const script = (commands: string, signal = never, onLine?: (line: string) => void): Promise<string> =>
  runTool('/bin/sh', ['-c', commands], signal, { ...(onLine && { onLine }) });

test('gives back the output, and its lines as they come', async () => {
  const lines: string[] = [];
  expect(await script('echo one; echo two', never, (line) => lines.push(line))).toBe('one\ntwo\n');
  expect(lines).toEqual(['one', 'two']);
});

test("tells a failure with the tool's last words", async () => {
  await expect(script('echo "bad superblock" >&2; exit 3')).rejects.toMatchObject({
    code: 'image-unavailable',
    message: expect.stringMatching(/exit status 3.*bad superblock/),
  });
});

test('knows a full disk', async () => {
  await expect(script('echo "write: No space left on device" >&2; exit 1')).rejects.toMatchObject({
    code: 'capacity-exhausted',
    facts: { resource: 'disk' },
  });
});

test('names a program that is missing', async () => {
  await expect(runTool('/nonexistent/tool', [], never)).rejects.toMatchObject({
    message: expect.stringMatching(/^\/nonexistent\/tool is not there/),
  });
});

test('when aborted, ends the tool and what it started before it rejects', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  let pid: number | undefined;
  const running = script('sleep 60 & echo $!; wait', controller.signal, (line) => {
    pid = Number(line);
    controller.abort(reason);
  });
  await expect(running).rejects.toBe(reason);
  expect(pid).toBeGreaterThan(0);
  expect(await isRunning(pid)).toBe(false);
  await expect(script('true', controller.signal)).rejects.toBe(reason);
});

test('kills a tool that does not heed', async () => {
  const controller = new AbortController();
  const running = script('trap "" TERM; echo ready; while :; do sleep 0.1; done', controller.signal, () => controller.abort());
  const outcome = await Promise.race([running.catch(() => 'ended'), sleep(10_000, 'still running', { ref: false })]);
  expect(outcome).toBe('ended');
});

/** A dead process may linger as a zombie where nobody reaps it. */
async function isRunning(pid: number | undefined): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State: gone');
  return !/^State:\s(Z|gone)/m.test(status);
}
