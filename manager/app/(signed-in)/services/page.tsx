import { Layers } from 'lucide-react';
import type { Metadata } from 'next';
import { ProblemPage } from '../../../components/problem/problem-page.tsx';
import { serviceColumns } from '../../../components/services/service-columns.tsx';
import { Command } from '../../../components/ui/command.tsx';
import { DataTable } from '../../../components/ui/data-table.tsx';
import { EmptyState } from '../../../components/ui/empty-state.tsx';
import { PageHeader } from '../../../components/ui/page-header.tsx';
import { Panel } from '../../../components/ui/panel.tsx';
import { nameOperations } from '../../../lib/api/service-names.ts';
import { serviceRows } from '../../../lib/api/service-rows.ts';
import { askApi } from '../../../lib/session/ask-api.ts';
import { formatMib } from '../../../lib/text/format-quantity.ts';

const title = 'Services';
export const metadata: Metadata = { title };

export default async function ServicesPage() {
  const asked = await askApi(async (api) => {
    const [cloudlet, { serviceVms }, { operations }] = await Promise.all([
      api.cloudlet(),
      api.serviceVms(),
      api.operations({ state: 'running', kind: 'service.build' }),
    ]);
    const rows = serviceRows(cloudlet.services, serviceVms, await nameOperations(api, operations));
    return { rows, memoryFreeMib: cloudlet.capacity.memoryFreeMib };
  });
  if (!asked.ok) return <ProblemPage title={title} problem={asked.problem} />;
  const { rows, memoryFreeMib } = asked.value;
  return (
    <>
      <PageHeader
        title={title}
        description={`What phones can ask this cloudlet for. A new Service VM may take ${formatMib(memoryFreeMib)} of memory.`}
      />
      <Panel>
        {rows.length === 0 ? (
          <EmptyState icon={Layers} title="No services yet">
            <p className="mb-4">The samples are built at the first start. To make a service of a disk of your own:</p>
            <Command line="npx cloudlet service add --disk my.qcow2 --port 8080" />
          </EmptyState>
        ) : (
          <DataTable caption="Services, by name" columns={serviceColumns(memoryFreeMib)} rows={rows} keyOf={({ serviceId }) => serviceId} />
        )}
      </Panel>
    </>
  );
}
