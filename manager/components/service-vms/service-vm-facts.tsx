import { formatDuration } from '../../../workflows/contract/units.ts';
import type { Service, ServiceVm } from '../../lib/api/bodies.ts';
import { formatCount, formatMib } from '../../lib/text/format-quantity.ts';
import { rungName } from '../../lib/text/start-cost.ts';
import { endReasonName } from '../status/state-looks.ts';
import { Copyable } from '../ui/copyable.tsx';
import { Facts } from '../ui/facts.tsx';
import { TimeAgo } from '../ui/time-ago.tsx';
import { EndpointList } from './endpoint-list.tsx';

/** What an instance is, where it is reached and how it came about. */
export function ServiceVmFacts({ serviceVm, service }: { readonly serviceVm: ServiceVm; readonly service: Service | undefined }) {
  const { id, endedAt, endReason, users, rung, memoryMib, vcpus, restarts, requestedAt, readyAt } = serviceVm;
  const live = endedAt === null;
  return (
    <Facts
      facts={[
        ['Address', live ? <EndpointList key="address" serviceVm={serviceVm} service={service} /> : null],
        ['Users', live ? formatCount(users, 'user') : null],
        ['Resources', live ? `${formatMib(memoryMib)}, ${formatCount(vcpus, 'vCPU')}` : null],
        ['Started by', rungName(rung)],
        ['Requested', <TimeAgo key="requested" time={requestedAt} />],
        ['Ready after', readyAt === null ? null : formatDuration(Date.parse(readyAt) - Date.parse(requestedAt))],
        ['Restarts', String(restarts)],
        ['Ended', endedAt === null ? null : <TimeAgo key="ended" time={endedAt} />],
        ['Because', endReason === null ? null : endReasonName(endReason)],
        ['Id', <Copyable key="id" text={id} label="Copy the id of the Service VM" />],
      ]}
    />
  );
}
