import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { lastStep, lastWords, launcher, recipeScript } from './recipe-script.ts';

const isValidShell = (script: string): boolean => {
  execFileSync('sh', ['-n'], { input: script });
  return true;
};

describe('the program of a recipe', () => {
  it('is one that a shell reads, whatever its commands are called', () => {
    expect(isValidShell(launcher)).toBe(true);
    expect(isValidShell(recipeScript({ commands: ["echo 'it'\\''s'; true\nfalse", 'x="$(', '`'] }))).toBe(true);
    expect(isValidShell(recipeScript({ commands: [] }))).toBe(true);
  });

  it('says each command before it runs, by its first line', () => {
    const script = recipeScript({ commands: ['first\nmore', "second 'quoted'"] });
    expect(script).toContain("echo '==> [1/2] first'\n");
    expect(script).toContain("echo '==> [2/2] second '\\''quoted'\\'''\n");
  });
});

describe('the log of a recipe', () => {
  const log = '==> [1/2] first\nfine\n==> [2/2] second\none\n\ntwo\nthree\nfour\n==> command 2 ended with status 3\n';

  it('says how far it is', () => {
    expect(lastStep(log)).toEqual({ step: 2, total: 2, command: 'second' });
    expect(lastStep('nothing yet\n')).toBeUndefined();
  });

  it('ends with the last words of the command that failed', () => {
    expect(lastWords(log)).toBe('two three four');
    expect(lastWords('==> [1/2] first\nfine\n==> [2/2] false\n==> command 2 ended with status 1\n')).toBe('');
    expect(lastWords('tar: short read\n')).toBe('tar: short read');
  });
});
