import type { ReactNode } from 'react';

interface PageHeaderProps {
  readonly title: ReactNode;
  readonly description?: ReactNode;
  /** Above the title: where this page belongs. */
  readonly trail?: ReactNode;
  readonly actions?: ReactNode;
}

export function PageHeader({ title, description, trail, actions }: PageHeaderProps) {
  return (
    <header className="mb-6 flex flex-wrap items-end justify-between gap-x-6 gap-y-4">
      <div className="min-w-0">
        {trail}
        <h1 className="text-[1.625rem] leading-tight font-semibold tracking-tight break-words">{title}</h1>
        {description && <p className="mt-1.5 max-w-2xl text-pretty text-muted">{description}</p>}
      </div>
      {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </header>
  );
}
