'use client';

import type { Progress } from '../../../workflows/contract/operation.ts';
import { bytesText, progressPercent, progressText } from '../../lib/text/progress-text.ts';
import { formatPercent } from '../../lib/text/format-quantity.ts';
import { ProgressBar } from '../ui/progress-bar.tsx';
import { useProgress } from './live-provider.tsx';

interface LiveProgressProps {
  readonly operationId: string;
  /** What the operation is called, e.g. `Start demo.guest`. */
  readonly name: string;
  /** As the server rendered it. */
  readonly rendered: Progress | null;
}

/** How far a running operation is, as it goes on. */
export function LiveProgress({ operationId, name, rendered }: LiveProgressProps) {
  const progress = useProgress(operationId, rendered);
  if (!progress) return <ProgressBar name={name} percent={undefined} text="Waiting to begin" />;
  const { step, steps, message, percent } = progress;
  const details = [...(percent === undefined ? [] : [formatPercent(percent)]), ...bytesText(progress)];
  return (
    <div className="w-full min-w-0">
      <p className="mb-1.5 flex items-baseline justify-between gap-3 text-[0.8125rem]">
        <span className="truncate">{message}</span>
        <span className="shrink-0 text-muted tabular-nums">
          {details.length > 0 ? `${details.join(', ')} · ` : ''}
          {steps > 0 ? `${step} of ${steps}` : ''}
        </span>
      </p>
      <ProgressBar name={name} percent={progressPercent(progress)} text={progressText(progress)} />
    </div>
  );
}
