import { Terminal } from 'lucide-react';
import type { Outcome } from '../../lib/session/ask-api.ts';
import { plainLog } from '../../lib/text/plain-log.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { Card } from '../ui/card.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { ExternalLink } from '../ui/external-link.tsx';

const shownLines = 400;

/** What the guest wrote to its serial console, the end of it. */
export function SerialLog({ id, log }: { readonly id: string; readonly log: Outcome<string> }) {
  const shown = log.ok ? plainLog(log.value, shownLines) : undefined;
  return (
    <Card
      title="Serial log"
      flush
      aside={
        shown?.text && (
          <ExternalLink href={`/service-vms/${id}/log`} className="text-sm">
            All of it
          </ExternalLink>
        )
      }
    >
      {!log.ok ? (
        <div className="p-5">
          <ProblemView problem={log.problem} />
        </div>
      ) : !shown?.text ? (
        <EmptyState icon={Terminal} title="The guest has written nothing">
          What it writes to its serial console shows here.
        </EmptyState>
      ) : (
        <>
          {shown.linesBefore > 0 && (
            <p className="border-b border-line px-5 py-2 text-[0.8125rem] text-muted">{shown.linesBefore} earlier lines are left out.</p>
          )}
          <pre
            // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls by itself, so it must be reachable by keyboard
            tabIndex={0}
            aria-label="Serial log"
            className="max-h-96 overflow-auto rounded-b-xl bg-inset px-5 py-4 font-mono text-[0.8125rem] leading-relaxed"
          >
            {shown.text}
          </pre>
        </>
      )}
    </Card>
  );
}
