import { formatBytes } from '../../../workflows/contract/units.ts';
import type { Cloudlet, ServiceVm } from '../../lib/api/bodies.ts';
import { formatMib, formatPercent } from '../../lib/text/format-quantity.ts';
import { Card } from '../ui/card.tsx';
import { Meter } from '../ui/meter.tsx';

interface CapacityCardProps {
  readonly cloudlet: Cloudlet;
  readonly serviceVms: readonly ServiceVm[];
}

/** What Service VMs hold of this cloudlet, and what is left. */
export function CapacityCard({ cloudlet: { capacity, load }, serviceVms }: CapacityCardProps) {
  const { memoryMib, memoryReservedMib, memoryFreeMib, vcpus, diskBytes, diskFreeBytes } = capacity;
  if (vcpus === 0) {
    return (
      <Card title="Capacity">
        <p className="text-sm text-muted">No host is up, so there is nothing to give.</p>
      </Card>
    );
  }
  const vcpusUsed = serviceVms.reduce((sum, serviceVm) => sum + serviceVm.vcpus, 0);
  return (
    <Card title="Capacity">
      <div className="flex flex-col gap-5">
        <Meter
          label="Memory reserved"
          used={memoryReservedMib}
          total={memoryMib}
          text={`${formatMib(memoryReservedMib)} of ${formatMib(memoryMib)}`}
          hint={`The next Service VM may take ${formatMib(memoryFreeMib)}.`}
        />
        <Meter
          label="vCPUs given"
          used={vcpusUsed}
          total={vcpus}
          text={`${vcpusUsed} on ${vcpus} cores`}
          mayBeFull
          {...(vcpusUsed > vcpus ? { hint: 'Guests share the cores.' } : {})}
        />
        <Meter label="Processor use" used={load.cpuPercent} total={100} text={formatPercent(load.cpuPercent)} mayBeFull />
        <Meter
          label="Disk used"
          used={diskBytes - diskFreeBytes}
          total={diskBytes}
          text={`${formatBytes(diskBytes - diskFreeBytes)} of ${formatBytes(diskBytes)}`}
          hint={`${formatBytes(diskFreeBytes)} are free for images, instances and uploads.`}
        />
      </div>
    </Card>
  );
}
