import type { Progress } from '../../workflows/contract/operation.ts';

const width = 24;

/** How much of an operation is done, 0 to 1: finished steps, and the part of the one that runs. */
export function doneShare({ step, steps, percent = 0 }: Progress): number {
  return steps === 0 ? 0 : Math.min(1, (Math.max(0, step - 1) + percent / 100) / steps);
}

/** @param share 0 to 1 */
export function progressBar(share: number): string {
  const done = Math.round(Math.min(1, share) * width);
  return '█'.repeat(done) + '░'.repeat(width - done);
}

/** One line: a bar, the step and what is being done. */
export function progressLine(progress: Progress): string {
  const percent = progress.percent === undefined ? '' : ` ${Math.round(progress.percent)} %`;
  return `${progressBar(doneShare(progress))}  ${progress.step}/${progress.steps}  ${progress.message}${percent}`;
}
