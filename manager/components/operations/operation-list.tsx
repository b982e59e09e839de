import { PageLink } from '../ui/page-link.tsx';
import { formatDuration } from '../../../workflows/contract/units.ts';
import type { NamedOperation } from '../../lib/api/service-names.ts';
import { operationTitle } from '../../lib/text/operation-words.ts';
import { operationLooks } from '../status/state-looks.ts';
import { classes } from '../ui/classes.ts';
import { TimeAgo } from '../ui/time-ago.tsx';
import { textTone } from '../ui/tone.ts';

/** A few operations beside other things, in brief. */
export function OperationList({ operations }: { readonly operations: readonly NamedOperation[] }) {
  return (
    <ul className="divide-y divide-line">
      {operations.map((operation) => (
        <li key={operation.id}>
          <OperationItem operation={operation} />
        </li>
      ))}
    </ul>
  );
}

function OperationItem({ operation: { id, kind, name, state, createdAt, finishedAt } }: { readonly operation: NamedOperation }) {
  const { icon: Icon, tone, label, moving } = operationLooks[state];
  return (
    <PageLink
      href={`/operations/${id}`}
      className="grid grid-cols-[auto_minmax(0,1fr)_auto] items-baseline gap-x-3 px-5 py-3 text-sm transition-colors hover:bg-inset"
    >
      <Icon aria-hidden className={classes('size-4 translate-y-0.5', textTone[tone], moving && 'animate-spin [animation-duration:2.2s]')} />
      <span className="font-medium break-words">{operationTitle(kind, name)}</span>
      <span className="text-[0.8125rem] text-muted">
        <TimeAgo time={finishedAt ?? createdAt} />
      </span>
      <span className="col-start-2 text-[0.8125rem] text-muted">
        {label}
        {finishedAt !== null && ` after ${formatDuration(Date.parse(finishedAt) - Date.parse(createdAt))}`}
      </span>
    </PageLink>
  );
}
