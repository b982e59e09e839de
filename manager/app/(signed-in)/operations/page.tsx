import { Activity } from 'lucide-react';
import type { Metadata } from 'next';
import { PageLink } from '../../../components/ui/page-link.tsx';
import type { OperationState } from '../../../../workflows/contract/operation.ts';
import { operationColumns } from '../../../components/operations/operation-columns.tsx';
import { ProblemPage } from '../../../components/problem/problem-page.tsx';
import { operationLooks } from '../../../components/status/state-looks.ts';
import { buttonClass } from '../../../components/ui/button.tsx';
import { DataTable } from '../../../components/ui/data-table.tsx';
import { EmptyState } from '../../../components/ui/empty-state.tsx';
import { FilterLinks } from '../../../components/ui/filter-links.tsx';
import { PageHeader } from '../../../components/ui/page-header.tsx';
import { Panel } from '../../../components/ui/panel.tsx';
import { nameOperations } from '../../../lib/api/service-names.ts';
import { withAttempts } from '../../../lib/api/with-attempts.ts';
import { oneOf, type SearchParams } from '../../../lib/search-param.ts';
import { askApi } from '../../../lib/session/ask-api.ts';

const title = 'Operations';
export const metadata: Metadata = { title };

const states = Object.keys(operationLooks) as readonly OperationState[];
const pageSize = 30;

export default async function OperationsPage({ searchParams }: { readonly searchParams: SearchParams }) {
  const params = await searchParams;
  const state = oneOf(states, params['state']);
  const cursor = typeof params['cursor'] === 'string' ? params['cursor'] : undefined;
  const page = await askApi(async (api) => {
    const { operations, next } = await api.operations({
      limit: pageSize,
      ...(state === undefined ? {} : { state }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    return { operations: await withAttempts(api, await nameOperations(api, operations)), next };
  });
  if (!page.ok) return <ProblemPage title={title} problem={page.problem} />;
  const { operations, next } = page.value;
  return (
    <>
      <PageHeader
        title={title}
        description="What takes longer than a request: each one is a workflow that survives crashes and restarts."
      />
      <FilterLinks
        label="State"
        choices={[
          { label: 'All', href: '/operations', chosen: state === undefined },
          ...states.map((name) => ({ label: operationLooks[name].label, href: `/operations?state=${name}`, chosen: state === name })),
        ]}
      />
      <Panel>
        {operations.length === 0 ? (
          <EmptyState
            icon={Activity}
            title={state === undefined ? 'No operations yet' : `No operation is ${operationLooks[state].label.toLowerCase()}`}
          >
            Starts, stops and builds of services show here, those that phones ask for among them.
          </EmptyState>
        ) : (
          <DataTable caption="Operations, the latest first" columns={operationColumns} rows={operations} keyOf={({ id }) => id} />
        )}
      </Panel>
      <nav aria-label="Pages" className="mt-4 flex justify-end gap-2">
        {cursor !== undefined && (
          <PageLink href={hrefOf({ state })} className={buttonClass()}>
            Latest
          </PageLink>
        )}
        {next !== null && (
          <PageLink href={hrefOf({ state, cursor: next })} className={buttonClass()}>
            Older
          </PageLink>
        )}
      </nav>
    </>
  );
}

function hrefOf(query: { readonly state: OperationState | undefined; readonly cursor?: string }): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `/operations?${new URLSearchParams(given)}`;
}
