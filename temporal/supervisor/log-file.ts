import { closeSync, copyFileSync, fstatSync, mkdirSync, openSync, readSync, statSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';

export const maxLogBytes = 8 * 1024 * 1024;

/** Opens a log for appending, for our eyes only. The caller closes the descriptor. */
export function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return openSync(path, 'a', 0o600);
}

/**
 * Keeps a log small: what it held moves to `<path>.1` once it is longer than the limit. Whoever appends to it writes on
 * at its new beginning and need not know.
 */
export function limitLog(path: string, limitBytes = maxLogBytes): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat || stat.size <= limitBytes) return;
  copyFileSync(path, `${path}.1`);
  truncateSync(path, 0);
}

/** @returns the last lines of a log, none where there is no log */
export function tailLog(path: string, lines = 8): readonly string[] {
  const maxBytes = 8192;
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return [];
  }
  try {
    const size = fstatSync(descriptor).size;
    const buffer = Buffer.alloc(Math.min(size, maxBytes));
    readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
    const text = buffer.toString('utf8').trimEnd();
    return text === '' ? [] : text.split('\n').slice(-lines);
  } finally {
    closeSync(descriptor);
  }
}
