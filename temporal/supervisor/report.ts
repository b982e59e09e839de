import { formatDuration } from '../../workflows/contract/units.ts';

/** What a supervisor tells people, one event at a time. */
export interface Report {
  started(title: string, durationMs: number, detail: string): void;
  failed(title: string, durationMs: number, reason: string): void;
  /** It has taken a while and goes on. */
  waiting(title: string): void;
  note(text: string): void;
}

const titleWidth = 22;
const timeWidth = 8;

/**
 * Writes one line an event, aligned, without cursor movements: a log file reads as well as a terminal.
 *
 * @param write gets whole lines
 */
export function lineReport(write: (text: string) => void): Report {
  const line = (mark: string, title: string, time: string, text: string) =>
    write(`${`  ${mark} ${title.padEnd(titleWidth)} ${time.padStart(timeWidth)}  ${text}`.trimEnd()}\n`);
  return {
    started: (title, durationMs, detail) => line('✓', title, formatDuration(durationMs), detail),
    failed: (title, durationMs, reason) => line('✗', title, formatDuration(durationMs), reason),
    waiting: (title) => line('…', title, '', ''),
    note: (text) => write(`  ! ${text}\n`),
  };
}
