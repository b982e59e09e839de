import type { ReactNode } from 'react';

/** The ground on which a list lies. */
export function Panel({ children }: { readonly children: ReactNode }) {
  return <div className="@container rounded-xl border border-line bg-surface shadow-raised">{children}</div>;
}
