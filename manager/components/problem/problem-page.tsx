import { CloudOff } from 'lucide-react';
import type { ShownProblem } from '../../lib/api/api-error.ts';
import { Command } from '../ui/command.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { Sentence } from '../ui/sentence.tsx';
import { PageHeader } from '../ui/page-header.tsx';
import { ProblemView } from './problem-view.tsx';

/** Stands for a whole page that could not be read; it comes back by itself when that changes. */
export function ProblemPage({ title, problem }: { readonly title: string; readonly problem: ShownProblem }) {
  if (problem.code !== 'api-unreachable') {
    return (
      <>
        <PageHeader title={title} />
        <ProblemView problem={problem} />
      </>
    );
  }
  return (
    <>
      <PageHeader title={title} />
      <div className="rounded-xl border border-line bg-surface shadow-raised">
        <EmptyState icon={CloudOff} title={problem.title}>
          <p className="mb-4">
            <Sentence text={problem.detail} />
          </p>
          <Command line="npx cloudlet doctor" />
        </EmptyState>
      </div>
    </>
  );
}
