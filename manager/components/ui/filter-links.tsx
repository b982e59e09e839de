import { PageLink } from './page-link.tsx';
import { classes } from './classes.ts';

interface Choice {
  readonly label: string;
  readonly href: string;
  readonly chosen: boolean;
}

/** Choices that live in the URL, so that a link or a bookmark keeps them. */
export function FilterLinks({ label, choices }: { readonly label: string; readonly choices: readonly Choice[] }) {
  return (
    <nav aria-label={label} className="mb-4 flex flex-wrap gap-1">
      {choices.map(({ label, href, chosen }) => (
        <PageLink
          key={href}
          href={href}
          scroll={false}
          aria-current={chosen ? 'page' : undefined}
          className={classes(
            'rounded-full px-3 py-1 text-sm transition-colors',
            chosen ? 'bg-accent-soft font-medium text-accent' : 'text-muted hover:bg-inset hover:text-ink',
          )}
        >
          {label}
        </PageLink>
      ))}
    </nav>
  );
}
