import { TriangleAlert } from 'lucide-react';
import { PageLink } from '../ui/page-link.tsx';
import type { ServiceRow } from '../../lib/api/service-rows.ts';
import { formatCount, formatMib } from '../../lib/text/format-quantity.ts';
import { operationTitle } from '../../lib/text/operation-words.ts';
import { startCost } from '../../lib/text/start-cost.ts';
import { LiveProgress } from '../live/live-progress.tsx';
import { EndpointList } from '../service-vms/endpoint-list.tsx';
import type { Column } from '../ui/data-table.tsx';
import { StartButton } from './start-button.tsx';

const noImage = 'It has no image yet';

/** @param memoryFreeMib what a new instance may take */
export const serviceColumns = (memoryFreeMib: number): readonly Column<ServiceRow>[] => [
  {
    header: 'Service',
    place: 'title',
    cell: ({ serviceId, service }) => (
      <div className="max-w-md min-w-0">
        <p className="font-medium break-words">{serviceId}</p>
        {service?.description && <p className="mt-0.5 line-clamp-2 text-[0.8125rem] text-muted">{service.description}</p>}
        {service && service.tags.length > 0 && <p className="mt-1 text-xs text-muted">{service.tags.join(' · ')}</p>}
      </div>
    ),
  },
  {
    header: 'Needs',
    cell: ({ service }) =>
      service && (
        <span className="whitespace-nowrap tabular-nums">
          {formatMib(service.memory.idealMib)}
          <span className="text-muted"> · {formatCount(service.vcpus, 'vCPU')}</span>
        </span>
      ),
  },
  { header: 'Running', cell: (row) => <Running row={row} /> },
  { header: 'A start', cell: (row) => <Cost row={row} memoryFreeMib={memoryFreeMib} /> },
  {
    header: 'Actions',
    place: 'actions',
    align: 'end',
    cell: ({ serviceId, service }) =>
      service && (
        <div className="flex">
          <StartButton serviceId={serviceId} {...(service.startable ? {} : { disabledReason: noImage })} />
        </div>
      ),
  },
];

function Running({ row: { service, running } }: { readonly row: ServiceRow }) {
  const users = running.reduce((sum, serviceVm) => sum + serviceVm.users, 0);
  if (running.length === 0) return <span className="text-muted">none</span>;
  const ready = running.filter(({ address }) => address !== null);
  return (
    <div className="flex flex-col items-start gap-0.5">
      <PageLink href="/service-vms" className="inline-flex min-h-6 items-center gap-1 whitespace-nowrap hover:underline">
        {formatCount(running.length, 'Service VM')} <span className="text-muted">· {formatCount(users, 'user')}</span>
      </PageLink>
      {ready.map((serviceVm) => (
        <EndpointList key={serviceVm.id} serviceVm={serviceVm} service={service} mainOnly />
      ))}
    </div>
  );
}

function Cost({
  row: { serviceId, service, running, build },
  memoryFreeMib,
}: {
  readonly row: ServiceRow;
  readonly memoryFreeMib: number;
}) {
  if (build) {
    return (
      <div className="w-full min-w-44">
        <LiveProgress operationId={build.id} name={operationTitle(build.kind, serviceId)} rendered={build.progress} />
      </div>
    );
  }
  if (!service) return null;
  if (!service.startable) return <p className="text-[0.8125rem] text-muted">{noImage}</p>;
  const { text, warning } = startCost(service, running, memoryFreeMib);
  return (
    <div className="text-[0.8125rem]">
      <p>{text}</p>
      {warning !== undefined && (
        <p className="mt-0.5 flex items-center gap-1 text-warn">
          <TriangleAlert aria-hidden className="size-3.5 shrink-0" />
          {warning}
        </p>
      )}
    </div>
  );
}
