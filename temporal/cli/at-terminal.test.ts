import { PassThrough, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { atTerminal } from './at-terminal.ts';

function terminal() {
  const modes: boolean[] = [];
  return Object.assign(new PassThrough(), { isTTY: true, modes, setRawMode: (raw: boolean) => modes.push(raw) });
}

it('hands on what is typed, until Ctrl-] is', async () => {
  const stdin = terminal();
  let typed = '';
  const over = atTerminal(stdin, async (keys: Readable) => {
    typed = await text(keys);
  });
  stdin.write('root\r');
  stdin.write('exit\r\x1dnot this');
  await over;
  expect([typed, stdin.modes, stdin.destroyed]).toEqual(['root\rexit\r', [true, false], true]);
});

it('gives the terminal back when the other side ends, or fails', async () => {
  const [ended, failed] = [terminal(), terminal()];
  await atTerminal(ended, async (keys) => void keys.resume());
  await expect(atTerminal(failed, () => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
  expect([ended, failed].map(({ modes, destroyed }) => [modes, destroyed])).toEqual([
    [[true, false], true],
    [[true, false], true],
  ]);
});
