import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const historiesDir = join(import.meta.dirname, 'histories');

/** One run of an execution, as `historyToJSON` writes it. */
export interface RecordedHistory {
  /** Without its ending: the name of its scenario, and a number where that made several. */
  readonly name: string;
  readonly text: string;
}

/** Those that are committed. */
export const recordedHistories = (): readonly RecordedHistory[] =>
  readdirSync(historiesDir)
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({ name: file.slice(0, -'.json'.length), text: readFileSync(join(historiesDir, file), 'utf8') }));

/** The scenario that a history was recorded of. */
export const scenarioOf = ({ name }: RecordedHistory): string => name.replace(/\.\d+$/, '');
