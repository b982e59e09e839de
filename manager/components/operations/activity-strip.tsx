'use client';

import { ChevronUp, LoaderCircle } from 'lucide-react';
import { PageLink } from '../ui/page-link.tsx';
import { usePathname } from 'next/navigation';
import type { NamedOperation } from '../../lib/api/service-names.ts';
import { formatCount } from '../../lib/text/format-quantity.ts';
import { operationDoing, operationTitle } from '../../lib/text/operation-words.ts';
import { LiveProgress } from '../live/live-progress.tsx';

/** These pages show what runs in the middle of them. */
const pagesThatShowIt: readonly string[] = ['/', '/operations'];

/** What runs now, at the foot of every page. */
export function ActivityStrip({ operations }: { readonly operations: readonly NamedOperation[] }) {
  const pathname = usePathname();
  if (operations.length === 0 || pagesThatShowIt.includes(pathname)) return null;
  return (
    <details className="group sticky bottom-0 z-20 border-t border-line bg-surface shadow-floating">
      <summary className="flex h-11 cursor-pointer list-none items-center gap-3 px-4 text-sm sm:px-8">
        <LoaderCircle aria-hidden className="size-4 shrink-0 animate-spin text-accent [animation-duration:2.2s]" />
        <span className="truncate">
          {operations.length === 1 && operations[0]
            ? operationDoing(operations[0].kind, operations[0].name)
            : `${formatCount(operations.length, 'operation')} running`}
        </span>
        <ChevronUp aria-hidden className="ml-auto size-4 shrink-0 text-muted transition-transform group-open:rotate-180" />
      </summary>
      <ul className="max-h-64 divide-y divide-line overflow-y-auto border-t border-line">
        {operations.map(({ id, kind, name, progress }) => (
          <li key={id} className="grid gap-x-6 gap-y-1.5 px-4 py-3 sm:grid-cols-[minmax(0,1fr)_minmax(0,2fr)] sm:items-center sm:px-8">
            <PageLink href={`/operations/${id}`} className="truncate text-sm font-medium hover:underline">
              {operationTitle(kind, name)}
            </PageLink>
            <LiveProgress operationId={id} name={operationTitle(kind, name)} rendered={progress} />
          </li>
        ))}
      </ul>
    </details>
  );
}
