import { describe, expect, it } from 'vitest';
import { plainLog } from './plain-log.ts';

describe('plainLog', () => {
  it('drops what is meant for a terminal and keeps what is meant for people', () => {
    const console = '\u001b[2J\u001b[1;32mBooting\u001b[0m\r\n\u001b]0;title\u0007\tindented\u0007\r\nready\u0000\r\n\r\n';
    expect(plainLog(console, 10)).toEqual({ text: 'Booting\n\tindented\nready', linesBefore: 0 });
  });

  it('keeps the end and counts what came before', () => {
    expect(plainLog('1\n2\n3\n4\n', 2)).toEqual({ text: '3\n4', linesBefore: 2 });
  });

  it('makes nothing of nothing', () => {
    expect(plainLog('', 5)).toEqual({ text: '', linesBefore: 0 });
  });
});
