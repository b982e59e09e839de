import { SearchX } from 'lucide-react';
import { PageLink } from '../../components/ui/page-link.tsx';
import { buttonClass } from '../../components/ui/button.tsx';
import { EmptyState } from '../../components/ui/empty-state.tsx';
import { PageHeader } from '../../components/ui/page-header.tsx';
import { Panel } from '../../components/ui/panel.tsx';

export default function NotFound() {
  return (
    <>
      <PageHeader title="Not found" />
      <Panel>
        <EmptyState icon={SearchX} title="There is no such thing on this cloudlet">
          <p className="mb-4">It may have ended and been forgotten, or the link is incomplete.</p>
          <PageLink href="/" className={buttonClass('primary')}>
            To the overview
          </PageLink>
        </EmptyState>
      </Panel>
    </>
  );
}
