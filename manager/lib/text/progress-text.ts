import type { Progress } from '../../../workflows/contract/operation.ts';
import { formatBytes } from '../../../workflows/contract/units.ts';
import { formatPercent } from './format-quantity.ts';

/**
 * How much of the whole is done, 0 to 100: the steps before this one and the known part of it, all counted alike.
 * Undefined where the operation has not said how many steps there are.
 */
export function progressPercent({ step, steps, percent = 0 }: Progress): number | undefined {
  if (steps <= 0) return undefined;
  const done = Math.max(0, Math.min(step, steps) - 1) + percent / 100;
  return Math.min(100, (100 * done) / steps);
}

/** What is being done, for people. @returns e.g. `Step 3 of 7: Cloning the disk, 42 %, 1.2 GiB of 2.9 GiB` */
export function progressText(progress: Progress): string {
  const { step, steps, message, percent } = progress;
  return [
    `${steps > 0 ? `Step ${step} of ${steps}: ` : ''}${message}`,
    ...(percent === undefined ? [] : [formatPercent(percent)]),
    ...bytesText(progress),
  ].join(', ');
}

/** @returns e.g. `['1.2 GiB of 2.9 GiB']`, or nothing where bytes are not counted */
export function bytesText({ bytesDone, bytesTotal }: Progress): readonly string[] {
  if (bytesDone === undefined) return [];
  return [bytesTotal === undefined ? formatBytes(bytesDone) : `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`];
}
