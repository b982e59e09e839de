import type { Metadata } from 'next';
import { notFound } from 'next/navigation';
import { OperationList } from '../../../../components/operations/operation-list.tsx';
import { LiveProgress } from '../../../../components/live/live-progress.tsx';
import { ProblemPage } from '../../../../components/problem/problem-page.tsx';
import { ProblemView } from '../../../../components/problem/problem-view.tsx';
import { HoldButton } from '../../../../components/service-vms/hold-button.tsx';
import { SerialLog } from '../../../../components/service-vms/serial-log.tsx';
import { ServiceVmFacts } from '../../../../components/service-vms/service-vm-facts.tsx';
import { StopButton } from '../../../../components/service-vms/stop-button.tsx';
import { serviceVmLooks } from '../../../../components/status/state-looks.ts';
import { Badge } from '../../../../components/ui/badge.tsx';
import { Card } from '../../../../components/ui/card.tsx';
import { PageHeader } from '../../../../components/ui/page-header.tsx';
import { Trail } from '../../../../components/ui/trail.tsx';
import type { CloudletApi } from '../../../../lib/api/cloudlet-api.ts';
import { nameOperations, type NamedOperation } from '../../../../lib/api/service-names.ts';
import { serviceVmCan } from '../../../../lib/service-vm-can.ts';
import { askApi } from '../../../../lib/session/ask-api.ts';
import { operationTitle } from '../../../../lib/text/operation-words.ts';

export const metadata: Metadata = { title: 'Service VM' };

const shownOperations = 20;

export default async function ServiceVmPage({ params }: { readonly params: Promise<{ id: string }> }) {
  const { id } = await params;
  const asked = await askApi(async (api) => {
    const [serviceVm, services, operations] = await Promise.all([api.serviceVm(id), api.services(), operationsOf(api, id)]);
    return { serviceVm, service: services.find(({ serviceId }) => serviceId === serviceVm.serviceId), operations };
  });
  if (!asked.ok && asked.problem.status === 404) notFound();
  if (!asked.ok) return <ProblemPage title="Service VM" problem={asked.problem} />;
  const { serviceVm, service, operations } = asked.value;
  const { serviceId, state, users, problem } = serviceVm;
  const running = operations.find((operation) => operation.state === 'running');
  const log = await askApi((api) => api.serviceVmLog(id));
  return (
    <>
      <PageHeader
        trail={<Trail href="/service-vms" label="Service VMs" />}
        title={serviceId}
        actions={
          <>
            <Badge look={serviceVmLooks[state]} />
            {serviceVmCan('hold', state) && <HoldButton id={id} serviceId={serviceId} />}
            {serviceVmCan('stop', state) && <StopButton id={id} serviceId={serviceId} users={users} />}
          </>
        }
      />
      <div className="flex flex-col gap-5">
        {problem && <ProblemView problem={problem} />}
        {running && (
          <Card title={operationTitle(running.kind, running.name)}>
            <LiveProgress operationId={running.id} name={operationTitle(running.kind, running.name)} rendered={running.progress} />
          </Card>
        )}
        <div className="grid gap-5 lg:grid-cols-2">
          <Card title="Details">
            <ServiceVmFacts serviceVm={serviceVm} service={service} />
          </Card>
          <Card title="Operations" flush className="self-start">
            <OperationList operations={operations} />
          </Card>
        </div>
        <SerialLog id={id} log={log} />
      </div>
    </>
  );
}

async function operationsOf(api: CloudletApi, id: string): Promise<readonly NamedOperation[]> {
  const { operations } = await api.operations({ subject: id, limit: shownOperations });
  return nameOperations(api, operations);
}
