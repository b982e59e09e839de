import { Server } from 'lucide-react';
import type { Metadata } from 'next';
import { PageLink } from '../../../components/ui/page-link.tsx';
import { ProblemPage } from '../../../components/problem/problem-page.tsx';
import { serviceVmColumns } from '../../../components/service-vms/service-vm-columns.tsx';
import { buttonClass } from '../../../components/ui/button.tsx';
import { DataTable } from '../../../components/ui/data-table.tsx';
import { EmptyState } from '../../../components/ui/empty-state.tsx';
import { FilterLinks } from '../../../components/ui/filter-links.tsx';
import { PageHeader } from '../../../components/ui/page-header.tsx';
import { Panel } from '../../../components/ui/panel.tsx';
import { oneOf, type SearchParams } from '../../../lib/search-param.ts';
import { askApi } from '../../../lib/session/ask-api.ts';

const title = 'Service VMs';
export const metadata: Metadata = { title };

const pageSize = 50;

export default async function ServiceVmsPage({ searchParams }: { readonly searchParams: SearchParams }) {
  const params = await searchParams;
  const state = oneOf(['live', 'all'] as const, params['show']) ?? 'live';
  const cursor = typeof params['cursor'] === 'string' ? params['cursor'] : undefined;
  const asked = await askApi(async (api) => {
    const [page, services] = await Promise.all([
      api.serviceVms({ state, limit: pageSize, ...(cursor === undefined ? {} : { cursor }) }),
      api.services(),
    ]);
    // The latest last, so that no row moves when one comes.
    return { ...page, services, serviceVms: state === 'live' ? page.serviceVms.toReversed() : page.serviceVms };
  });
  if (!asked.ok) return <ProblemPage title={title} problem={asked.problem} />;
  const { serviceVms, services, next } = asked.value;
  return (
    <>
      <PageHeader title={title} description="The instances that serve phones. One that nobody uses any more ends by itself." />
      <FilterLinks
        label="Which ones"
        choices={[
          { label: 'Running', href: '/service-vms', chosen: state === 'live' },
          { label: 'All', href: '/service-vms?show=all', chosen: state === 'all' },
        ]}
      />
      <Panel>
        {serviceVms.length === 0 ? (
          <EmptyState icon={Server} title={state === 'live' ? 'No Service VM runs' : 'No Service VM has run yet'}>
            <p className="mb-4">One starts when a phone asks for a service, or when you do.</p>
            <PageLink href="/services" className={buttonClass('primary')}>
              To the services
            </PageLink>
          </EmptyState>
        ) : (
          <DataTable
            caption={state === 'live' ? 'Service VMs that run, the longest running first' : 'All Service VMs, the latest first'}
            columns={serviceVmColumns(services)}
            rows={serviceVms}
            keyOf={({ id }) => id}
          />
        )}
      </Panel>
      {next !== null && (
        <nav aria-label="Pages" className="mt-4 flex justify-end">
          <PageLink href={`/service-vms?${new URLSearchParams({ show: state, cursor: next })}`} className={buttonClass()}>
            Older
          </PageLink>
        </nav>
      )}
    </>
  );
}
