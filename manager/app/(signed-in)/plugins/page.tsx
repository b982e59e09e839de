import { Blocks } from 'lucide-react';
import type { Metadata } from 'next';
import { pluginColumns } from '../../../components/plugins/plugin-columns.tsx';
import { ProblemPage } from '../../../components/problem/problem-page.tsx';
import { DataTable } from '../../../components/ui/data-table.tsx';
import { EmptyState } from '../../../components/ui/empty-state.tsx';
import { PageHeader } from '../../../components/ui/page-header.tsx';
import { Panel } from '../../../components/ui/panel.tsx';
import { askApi } from '../../../lib/session/ask-api.ts';

const title = 'Plugins';
export const metadata: Metadata = { title };

export default async function PluginsPage() {
  const asked = await askApi((api) => api.plugins());
  if (!asked.ok) return <ProblemPage title={title} problem={asked.problem} />;
  return (
    <>
      <PageHeader title={title} description="What this cloudlet is made of beyond its core. One that fails leaves the rest running." />
      <Panel>
        {asked.value.length === 0 ? (
          <EmptyState icon={Blocks} title="No plugin is loaded">
            CLOUDLET_PLUGINS lists those to load.
          </EmptyState>
        ) : (
          <DataTable caption="Plugins" columns={pluginColumns} rows={asked.value} keyOf={({ id }) => id} />
        )}
      </Panel>
    </>
  );
}
