import { closeSync, mkdtempSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limitLog, openLog, tailLog } from './log-file.ts';

describe('a log', () => {
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'log-file-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('stays small while somebody writes to it', () => {
    const path = join(folder, 'deep/part.log');
    const log = openLog(path);
    writeSync(log, 'old '.repeat(10));
    limitLog(path, 100);
    expect(readFileSync(path, 'utf8')).toBe('old '.repeat(10));
    limitLog(path, 20);
    writeSync(log, 'new');
    closeSync(log);
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(readFileSync(`${path}.1`, 'utf8')).toBe('old '.repeat(10));
  });

  it('tells its last lines', () => {
    const path = join(folder, 'part.log');
    writeFileSync(path, `${'x'.repeat(20_000)}\none\ntwo\nthree\n`);
    expect(tailLog(path, 2)).toEqual(['two', 'three']);
    expect(tailLog(join(folder, 'none.log'))).toEqual([]);
    limitLog(join(folder, 'none.log'));
  });
});
