import { CircleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import type { ShownProblem } from '../../lib/api/api-error.ts';
import { CopyButton } from '../ui/copy-button.tsx';
import { Sentence } from '../ui/sentence.tsx';

/** What went wrong, what to do, and what to tell somebody who looks into it. */
export function ProblemView({ problem, children }: { readonly problem: ShownProblem; readonly children?: ReactNode }) {
  const { title, detail, code, traceId, errors = [], libvirt } = problem;
  return (
    <div className="flex gap-3 rounded-lg border border-bad/30 bg-bad-soft p-4 text-sm">
      <CircleAlert aria-hidden className="mt-0.5 size-4.5 shrink-0 text-bad" />
      <div className="min-w-0 flex-1">
        <p className="font-medium">{title}</p>
        <p className="mt-0.5 break-words">
          <Sentence text={detail} />
        </p>
        {errors.length > 0 && (
          <ul className="mt-2 list-disc pl-5">
            {errors.map(({ pointer, message }) => (
              <li key={pointer + message}>
                <code className="font-mono text-[0.8125rem]">{pointer}</code> {message}
              </li>
            ))}
          </ul>
        )}
        {libvirt && (
          <p className="mt-2 break-words">
            libvirt says: {libvirt.message} (code {libvirt.code}, domain {libvirt.domain})
          </p>
        )}
        <p className="mt-2 flex flex-wrap items-center gap-x-3 gap-y-1 font-mono text-xs">
          <span>{code}</span>
          {traceId !== undefined && (
            <span className="inline-flex items-center gap-1">
              trace {traceId}
              <CopyButton text={traceId} label="Copy the trace id" />
            </span>
          )}
        </p>
        {children && <div className="mt-3">{children}</div>}
      </div>
    </div>
  );
}
