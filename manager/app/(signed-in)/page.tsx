import type { Metadata } from 'next';
import { PageLink } from '../../components/ui/page-link.tsx';
import { operationColumns } from '../../components/operations/operation-columns.tsx';
import { OperationList } from '../../components/operations/operation-list.tsx';
import { CapacityCard } from '../../components/overview/capacity-card.tsx';
import { CloudletCard } from '../../components/overview/cloudlet-card.tsx';
import { HealthCard } from '../../components/overview/health-card.tsx';
import { HostsCard } from '../../components/overview/hosts-card.tsx';
import { PeersCard } from '../../components/overview/peers-card.tsx';
import { ProblemPage } from '../../components/problem/problem-page.tsx';
import { Card } from '../../components/ui/card.tsx';
import { DataTable } from '../../components/ui/data-table.tsx';
import { PageHeader } from '../../components/ui/page-header.tsx';
import { Stat } from '../../components/ui/stat.tsx';
import { nameOperations } from '../../lib/api/service-names.ts';
import { withAttempts } from '../../lib/api/with-attempts.ts';
import { askApi } from '../../lib/session/ask-api.ts';

const title = 'Overview';
export const metadata: Metadata = { title };

const recentOperations = 20;
const shownEnded = 6;

export default async function OverviewPage() {
  const asked = await askApi(async (api) => {
    const [health, cloudlet, { serviceVms }, running, recent] = await Promise.all([
      api.health(),
      api.cloudlet(),
      api.serviceVms(),
      api.operations({ state: 'running', limit: recentOperations }),
      api.operations({ limit: recentOperations }),
    ]);
    return {
      health,
      cloudlet,
      serviceVms,
      running: await withAttempts(api, await nameOperations(api, running.operations)),
      ended: (await nameOperations(api, recent.operations)).filter(({ state }) => state !== 'running').slice(0, shownEnded),
    };
  });
  if (!asked.ok) return <ProblemPage title={title} problem={asked.problem} />;
  const { health, cloudlet, serviceVms, running, ended } = asked.value;
  const { hosts, load, services, peers } = cloudlet;
  return (
    <>
      <PageHeader title={cloudlet.name} description="A cloudlet, one radio hop from the phones around it." />
      <div className="flex flex-col gap-5">
        <HealthCard health={health} />
        <dl className="grid grid-cols-2 gap-x-6 gap-y-5 rounded-xl border border-line bg-surface p-5 shadow-raised sm:grid-cols-4">
          <Stat label="Service VMs" value={load.serviceVms} />
          <Stat label="Users" value={load.users} />
          <Stat label="Services" value={services.length} />
          <Stat label="Operations running" value={running.length} />
        </dl>
        {running.length > 0 && (
          <Card title="Running now" flush>
            <DataTable caption="Operations that run" columns={operationColumns} rows={running} keyOf={({ id }) => id} />
          </Card>
        )}
        {(hosts.length > 1 || hosts.some(({ up, problem }) => !up || problem !== null)) && <HostsCard hosts={hosts} />}
        <div className="grid gap-5 lg:grid-cols-2">
          <div className="flex flex-col gap-5">
            <CapacityCard cloudlet={cloudlet} serviceVms={serviceVms} />
            <PeersCard peers={peers} />
          </div>
          <div className="flex flex-col gap-5">
            <CloudletCard cloudlet={cloudlet} />
            <Card
              title="Recently ended"
              flush
              aside={
                <PageLink href="/operations" className="text-sm text-accent hover:underline">
                  All operations
                </PageLink>
              }
            >
              {ended.length === 0 ? (
                <p className="p-5 text-sm text-muted">No operation has ended yet.</p>
              ) : (
                <OperationList operations={ended} />
              )}
            </Card>
          </div>
        </div>
      </div>
    </>
  );
}
