import type { Cloudlet } from '../../lib/api/bodies.ts';
import { formatMib } from '../../lib/text/format-quantity.ts';
import { healthLooks } from '../status/state-looks.ts';
import { Badge } from '../ui/badge.tsx';
import { Card } from '../ui/card.tsx';
import { DataTable, type Column } from '../ui/data-table.tsx';

type Host = Cloudlet['hosts'][number];

const columns: readonly Column<Host>[] = [
  { header: 'Host', place: 'title', cell: ({ name }) => <span className="font-medium break-words">{name}</span> },
  {
    header: 'State',
    place: 'state',
    cell: ({ up, problem }) => <Badge look={healthLooks[up && problem === null ? 'ready' : 'unready']} />,
  },
  { header: 'Address', cell: ({ address }) => <span className="font-mono text-[0.8125rem]">{address}</span> },
  { header: 'Memory free', cell: ({ capacity }) => <span className="tabular-nums">{formatMib(capacity.memoryFreeMib)}</span> },
  {
    header: 'Fault',
    cell: ({ up, problem }) => <span className="break-words text-muted">{up ? (problem ?? 'none') : 'its worker does not answer'}</span>,
  },
];

/** The machines that run Service VMs; shown where there are several, or one has a fault. */
export function HostsCard({ hosts }: { readonly hosts: Cloudlet['hosts'] }) {
  return (
    <Card title="Hosts" flush>
      <DataTable caption="Hosts, by name" columns={columns} rows={hosts} keyOf={({ id }) => id} />
    </Card>
  );
}
