import { Workflow } from 'lucide-react';
import { PageLink } from '../ui/page-link.tsx';
import { formatDuration } from '../../../workflows/contract/units.ts';
import type { NamedOperation } from '../../lib/api/service-names.ts';
import { operationTitle } from '../../lib/text/operation-words.ts';
import { LiveProgress } from '../live/live-progress.tsx';
import { operationLooks } from '../status/state-looks.ts';
import { Badge } from '../ui/badge.tsx';
import type { Column } from '../ui/data-table.tsx';
import { Age, TimeAgo } from '../ui/time-ago.tsx';
import { CancelButton } from './cancel-button.tsx';

const titleOf = ({ kind, name }: NamedOperation): string => operationTitle(kind, name);

const title: Column<NamedOperation> = {
  header: 'Operation',
  place: 'title',
  cell: (operation) => (
    <PageLink href={`/operations/${operation.id}`} className="font-medium break-words hover:underline">
      {titleOf(operation)}
    </PageLink>
  ),
};

const state: Column<NamedOperation> = {
  header: 'State',
  place: 'state',
  cell: (operation) => <Badge look={operationLooks[operation.state]} />,
};

const howFar: Column<NamedOperation> = {
  header: 'Details',
  cell: (operation) => <HowFar operation={operation} />,
};

const started: Column<NamedOperation> = { header: 'Started', cell: ({ createdAt }) => <TimeAgo time={createdAt} /> };

const took: Column<NamedOperation> = {
  header: 'Took',
  cell: ({ createdAt, finishedAt }) => (
    <span className="whitespace-nowrap tabular-nums">
      {finishedAt === null ? <Age since={createdAt} /> : formatDuration(Date.parse(finishedAt) - Date.parse(createdAt))}
    </span>
  ),
};

const actions: Column<NamedOperation> = {
  header: 'Actions',
  place: 'actions',
  align: 'end',
  cell: (operation) => (
    <div className="flex items-center gap-2">
      {operation.cancellable && <CancelButton id={operation.id} title={titleOf(operation)} />}
      {operation.temporalUrl !== null && <TemporalLink href={operation.temporalUrl} title={titleOf(operation)} />}
    </div>
  ),
};

/** All there is to say about an operation in one row. */
export const operationColumns: readonly Column<NamedOperation>[] = [title, state, howFar, started, took, actions];

function HowFar({ operation }: { readonly operation: NamedOperation }) {
  const { id, state, progress, problem, attempts } = operation;
  if (state !== 'running') return problem ? <span className="line-clamp-2 max-w-sm break-words text-muted">{problem.detail}</span> : null;
  const retried = attempts.find(({ attempt }) => attempt > 1);
  return (
    <div className="w-full min-w-40">
      <LiveProgress operationId={id} name={titleOf(operation)} rendered={progress} />
      {retried && (
        <p className="mt-1.5 text-[0.8125rem] break-words text-warn">
          Attempt {retried.attempt} of {retried.activity}
          {retried.lastFailure !== null && `: ${retried.lastFailure}`}
        </p>
      )}
    </div>
  );
}

/** On a narrow page the operation's own page has it. */
function TemporalLink({ href, title }: { readonly href: string; readonly title: string }) {
  const label = `${title} in Temporal UI (opens in a new tab)`;
  return (
    <a
      href={href}
      target="_blank"
      rel="noreferrer"
      title={label}
      aria-label={label}
      className="hidden size-8 place-items-center rounded-md text-muted transition-colors hover:bg-inset hover:text-ink @min-[46rem]:grid"
    >
      <Workflow aria-hidden className="size-4" />
    </a>
  );
}
