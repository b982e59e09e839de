import type { Metadata } from 'next';
import { PageLink } from '../../../../components/ui/page-link.tsx';
import { notFound } from 'next/navigation';
import { formatDuration } from '../../../../../workflows/contract/units.ts';
import { LiveProgress } from '../../../../components/live/live-progress.tsx';
import { AttemptsTable } from '../../../../components/operations/attempts-table.tsx';
import { CancelButton } from '../../../../components/operations/cancel-button.tsx';
import { OperationTimeline } from '../../../../components/operations/operation-timeline.tsx';
import { ProblemPage } from '../../../../components/problem/problem-page.tsx';
import { ProblemView } from '../../../../components/problem/problem-view.tsx';
import { operationLooks } from '../../../../components/status/state-looks.ts';
import { Badge } from '../../../../components/ui/badge.tsx';
import { Card } from '../../../../components/ui/card.tsx';
import { Copyable } from '../../../../components/ui/copyable.tsx';
import { ExternalLink } from '../../../../components/ui/external-link.tsx';
import { Facts } from '../../../../components/ui/facts.tsx';
import { PageHeader } from '../../../../components/ui/page-header.tsx';
import { Age, TimeAgo } from '../../../../components/ui/time-ago.tsx';
import { Trail } from '../../../../components/ui/trail.tsx';
import { nameOperations } from '../../../../lib/api/service-names.ts';
import { askApi } from '../../../../lib/session/ask-api.ts';
import { operationTitle } from '../../../../lib/text/operation-words.ts';

export const metadata: Metadata = { title: 'Operation' };

export default async function OperationPage({ params }: { readonly params: Promise<{ id: string }> }) {
  const { id } = await params;
  const asked = await askApi(async (api) => (await nameOperations(api, [await api.operation(id)]))[0]);
  if (!asked.ok && asked.problem.status === 404) notFound();
  if (!asked.ok) return <ProblemPage title="Operation" problem={asked.problem} />;
  const operation = asked.value;
  if (!operation) notFound();
  const { kind, name, state, serviceVmId, progress, problem, attempts, createdAt, finishedAt } = operation;
  const title = operationTitle(kind, name);
  return (
    <>
      <PageHeader
        trail={<Trail href="/operations" label="Operations" />}
        title={title}
        actions={
          <>
            <Badge look={operationLooks[state]} />
            {operation.cancellable && <CancelButton id={id} title={title} />}
          </>
        }
      />
      <div className="flex flex-col gap-5">
        {problem && <ProblemView problem={problem} />}
        {state === 'running' && (
          <Card title="Progress">
            <LiveProgress operationId={id} name={title} rendered={progress} />
          </Card>
        )}
        <div className="grid gap-5 lg:grid-cols-2">
          <Card title="Steps">
            <OperationTimeline operationId={id} failed={state === 'failed'} />
          </Card>
          <Card title="Details" className="self-start">
            <Facts
              facts={[
                ['Service', name],
                ['Service VM', serviceVmId === null ? null : <ServiceVmLink key="vm" id={serviceVmId} />],
                ['Asked for by', operation.principal],
                ['Started', <TimeAgo key="started" time={createdAt} />],
                ['Took', finishedAt === null ? <Age since={createdAt} /> : formatDuration(Date.parse(finishedAt) - Date.parse(createdAt))],
                ['Operation', <Copyable key="id" text={id} label="Copy the id of the operation" />],
                ['Workflow', <Workflow key="workflow" id={operation.workflowId} url={operation.temporalUrl} />],
              ]}
            />
          </Card>
        </div>
        {attempts.length > 0 && (
          <Card title="Under way" flush>
            <AttemptsTable attempts={attempts} />
          </Card>
        )}
      </div>
    </>
  );
}

const ServiceVmLink = ({ id }: { readonly id: string }) => (
  <PageLink href={`/service-vms/${id}`} className="font-mono text-[0.8125rem] break-all text-accent hover:underline">
    {id}
  </PageLink>
);

const Workflow = ({ id, url }: { readonly id: string; readonly url: string | null }) =>
  url === null ? (
    <Copyable text={id} label="Copy the id of the workflow" />
  ) : (
    <ExternalLink href={url} className="font-mono text-[0.8125rem] break-all">
      {id}
    </ExternalLink>
  );
