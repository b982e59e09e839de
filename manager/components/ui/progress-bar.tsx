import { Bar } from './bar.tsx';

interface ProgressBarProps {
  /** What is under way. */
  readonly name: string;
  /** 0 to 100; undefined where nobody knows how far it is. */
  readonly percent: number | undefined;
  /** How far it is in words. */
  readonly text: string;
}

export function ProgressBar({ name, percent, text }: ProgressBarProps) {
  return (
    <div
      role="progressbar"
      aria-label={name}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent === undefined ? undefined : Math.round(percent)}
      aria-valuetext={text}
    >
      <Bar percent={percent} tone="busy" />
    </div>
  );
}
