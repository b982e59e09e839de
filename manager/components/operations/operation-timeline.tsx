'use client';

import { useEffect, useMemo, useState } from 'react';
import { formatDuration } from '../../../workflows/contract/units.ts';
import { timelineOf, type TimelineMessage, type TimelineStep } from '../../lib/live/operation-timeline.ts';
import { classes } from '../ui/classes.ts';
import { Age } from '../ui/time-ago.tsx';

interface OperationTimelineProps {
  readonly operationId: string;
  /** Whether its last step is the one it ended with a failure in. */
  readonly failed: boolean;
}

/** The steps that an operation has gone through, and the one that it is at. */
export function OperationTimeline({ operationId, failed }: OperationTimelineProps) {
  const [messages, setMessages] = useState<readonly TimelineMessage[]>([]);

  useEffect(() => {
    const source = new EventSource(`/operations/${operationId}/events`);
    source.addEventListener('message', ({ data }: MessageEvent<string>) => {
      const message = JSON.parse(data) as TimelineMessage;
      setMessages((before) => [...before, message]);
      if (message.kind === 'ended') source.close();
    });
    return () => source.close();
  }, [operationId]);

  const steps = useMemo(() => timelineOf(messages), [messages]);
  const current = steps.at(-1);
  return (
    <>
      <p role="status" className="sr-only">
        {current?.endedAt === null ? current.message : ''}
      </p>
      {steps.length === 0 ? (
        <p className="text-sm text-muted">Nothing has been recorded yet.</p>
      ) : (
        <ol className="flex flex-col">
          {steps.map((step, index) => (
            <Step
              key={step.startedAt + step.phase}
              step={step}
              last={index === steps.length - 1}
              failed={failed && index === steps.length - 1}
            />
          ))}
        </ol>
      )}
    </>
  );
}

function Step({ step, last, failed }: { readonly step: TimelineStep; readonly last: boolean; readonly failed: boolean }) {
  const { message, phase, startedAt, endedAt } = step;
  return (
    <li className="relative flex gap-4 pb-4 last:pb-0">
      {!last && <span aria-hidden className="absolute top-4 bottom-0 left-[0.3125rem] w-px bg-line-strong" />}
      <span
        aria-hidden
        className={classes(
          'relative mt-1.5 size-2.5 shrink-0 rounded-full',
          failed ? 'bg-bad-solid' : endedAt === null ? 'animate-breathe bg-accent' : 'bg-ok-solid',
        )}
      />
      <div className="flex min-w-0 flex-1 flex-wrap items-baseline justify-between gap-x-4 text-sm">
        <span className="break-words">
          {message}
          {failed && <span className="text-bad"> (failed here)</span>}
        </span>
        <span className="text-[0.8125rem] text-muted tabular-nums">
          <span className="font-mono">{phase}</span>
          {' · '}
          {endedAt === null ? <Age since={startedAt} /> : formatDuration(Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)))}
        </span>
      </div>
    </li>
  );
}
