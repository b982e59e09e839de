import { PageLink } from '../ui/page-link.tsx';
import type { Service, ServiceVm } from '../../lib/api/bodies.ts';
import { serviceVmCan } from '../../lib/service-vm-can.ts';
import { formatMib } from '../../lib/text/format-quantity.ts';
import { rungName } from '../../lib/text/start-cost.ts';
import { endReasonName, serviceVmLooks } from '../status/state-looks.ts';
import { Badge } from '../ui/badge.tsx';
import type { Column } from '../ui/data-table.tsx';
import { Age, TimeAgo } from '../ui/time-ago.tsx';
import { EndpointList } from './endpoint-list.tsx';
import { HoldButton } from './hold-button.tsx';
import { StopButton } from './stop-button.tsx';

/** @param services tell which ports speak HTTP */
export const serviceVmColumns = (services: readonly Service[]): readonly Column<ServiceVm>[] => [
  {
    header: 'Service VM',
    place: 'title',
    cell: ({ id, serviceId }) => (
      <div className="min-w-0">
        <PageLink href={`/service-vms/${id}`} className="font-medium break-words hover:underline">
          {serviceId}
        </PageLink>
        <p className="font-mono text-xs text-muted">{id.slice(0, 8)}</p>
      </div>
    ),
  },
  { header: 'State', place: 'state', cell: ({ state }) => <Badge look={serviceVmLooks[state]} /> },
  { header: 'Address', cell: (serviceVm) => <Address serviceVm={serviceVm} services={services} /> },
  { header: 'Users', align: 'end', cell: ({ users }) => <span className="tabular-nums">{users}</span> },
  { header: 'Started by', cell: ({ rung }) => <span className="whitespace-nowrap">{rungName(rung)}</span>, wideOnly: true },
  { header: 'Age', cell: ({ requestedAt, endedAt }) => (endedAt === null ? <Age since={requestedAt} /> : <TimeAgo time={endedAt} />) },
  {
    header: 'Memory',
    align: 'end',
    wideOnly: true,
    cell: ({ memoryMib }) => <span className="whitespace-nowrap tabular-nums">{memoryMib === 0 ? '–' : formatMib(memoryMib)}</span>,
  },
  { header: 'Restarts', align: 'end', wideOnly: true, cell: ({ restarts }) => <span className="tabular-nums">{restarts}</span> },
  {
    header: 'Actions',
    place: 'actions',
    align: 'end',
    cell: ({ id, serviceId, users, state }) => (
      <div className="flex items-center gap-1">
        {serviceVmCan('hold', state) && <HoldButton id={id} serviceId={serviceId} />}
        {serviceVmCan('stop', state) && <StopButton id={id} serviceId={serviceId} users={users} />}
      </div>
    ),
  },
];

function Address({ serviceVm, services }: { readonly serviceVm: ServiceVm; readonly services: readonly Service[] }) {
  const { endReason, problem, serviceId } = serviceVm;
  if (problem) return <span className="line-clamp-2 max-w-xs break-words text-muted">{problem.detail}</span>;
  if (serviceVm.endedAt !== null)
    return <span className="text-muted">{endReason === null ? 'It has ended' : endReasonName(endReason)}</span>;
  return <EndpointList serviceVm={serviceVm} service={services.find((service) => service.serviceId === serviceId)} />;
}
