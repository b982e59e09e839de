import { ChevronLeft } from 'lucide-react';
import { PageLink } from './page-link.tsx';

/** The way back from one thing to the list of its kind. */
export function Trail({ href, label }: { readonly href: string; readonly label: string }) {
  return (
    <PageLink href={href} className="mb-2 -ml-1 inline-flex items-center gap-0.5 rounded text-sm text-muted hover:text-ink">
      <ChevronLeft aria-hidden className="size-4" />
      {label}
    </PageLink>
  );
}
