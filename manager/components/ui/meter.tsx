import { useId } from 'react';
import { Bar } from './bar.tsx';
import type { Tone } from './tone.ts';

interface MeterProps {
  readonly label: string;
  /** Both in the same unit. More than `total` is shown as full. */
  readonly used: number;
  readonly total: number;
  /** What the numbers are in words, e.g. `1.2 GiB of 22 GiB`. */
  readonly text: string;
  readonly hint?: string;
  /** Whether being full is no fault. */
  readonly mayBeFull?: boolean;
}

const warnFrom = 80;
const badFrom = 95;

const toneOf = (percent: number): Tone => (percent >= badFrom ? 'bad' : percent >= warnFrom ? 'warn' : 'busy');

/** How much of something is taken. */
export function Meter({ label, used, total, text, hint, mayBeFull = false }: MeterProps) {
  const id = useId();
  const percent = total <= 0 ? 0 : Math.min(100, (100 * used) / total);
  return (
    <div>
      <div className="mb-1.5 flex items-baseline justify-between gap-3 text-sm">
        <span id={id} className="text-muted">
          {label}
        </span>
        <span className="tabular-nums">{text}</span>
      </div>
      <div
        role="meter"
        aria-labelledby={id}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(percent)}
        aria-valuetext={text}
      >
        <Bar percent={percent} tone={mayBeFull ? 'busy' : toneOf(percent)} />
      </div>
      {hint && <p className="mt-1.5 text-[0.8125rem] text-muted">{hint}</p>}
    </div>
  );
}
