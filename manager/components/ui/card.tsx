import { useId, type ReactNode } from 'react';
import { classes } from './classes.ts';

interface CardProps {
  readonly title: string;
  /** Beside the title, e.g. a link to more. */
  readonly aside?: ReactNode;
  /** Without space around the content: for tables and lists that reach the edges. */
  readonly flush?: boolean;
  readonly className?: string;
  readonly children: ReactNode;
}

/** One aspect of something, under a heading of its own. */
export function Card({ title, aside, flush = false, className, children }: CardProps) {
  const id = useId();
  return (
    <section
      aria-labelledby={id}
      className={classes('@container min-w-0 rounded-xl border border-line bg-surface shadow-raised', className)}
    >
      <div className="flex min-h-12 items-center justify-between gap-4 border-b border-line px-5 py-2">
        <h2 id={id} className="text-sm font-semibold">
          {title}
        </h2>
        {aside}
      </div>
      <div className={flush ? '' : 'p-5'}>{children}</div>
    </section>
  );
}
