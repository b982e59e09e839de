import type { Operation } from '../../lib/api/bodies.ts';
import { DataTable, type Column } from '../ui/data-table.tsx';

type Attempt = Operation['attempts'][number];

const columns: readonly Column<Attempt>[] = [
  { header: 'Step', place: 'title', cell: ({ activity }) => <span className="font-mono text-[0.8125rem]">{activity}</span> },
  { header: 'Attempt', cell: ({ attempt }) => <span className="tabular-nums">{attempt}</span> },
  {
    header: 'Last failure',
    cell: ({ lastFailure }) => <span className="break-words">{lastFailure ?? <span className="text-muted">none</span>}</span>,
  },
];

/** The steps under way, those that are being tried again among them. */
export function AttemptsTable({ attempts }: { readonly attempts: readonly Attempt[] }) {
  return (
    <DataTable caption="Steps under way" columns={columns} rows={attempts} keyOf={({ activity, attempt }) => `${activity} ${attempt}`} />
  );
}
