import { ExternalLink as Icon } from 'lucide-react';
import type { ReactNode } from 'react';
import { classes } from './classes.ts';

interface ExternalLinkProps {
  readonly href: string;
  readonly children: ReactNode;
  readonly className?: string;
}

/** Leads out of the manager, into a tab of its own. */
export function ExternalLink({ href, children, className }: ExternalLinkProps) {
  return (
    <a
      href={href}
      target="_blank"
      rel="noreferrer"
      className={classes('inline-flex max-w-full items-center gap-1 text-accent hover:underline', className)}
    >
      <span className="min-w-0 break-words">{children}</span>
      <Icon aria-hidden className="size-3.5 shrink-0" />
      <span className="sr-only">(opens in a new tab)</span>
    </a>
  );
}
