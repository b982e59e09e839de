import type { ReactNode } from 'react';

/** One number that matters, with what it counts. */
export function Stat({ label, value, hint }: { readonly label: string; readonly value: ReactNode; readonly hint?: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-sm text-muted">{label}</dt>
      <dd className="mt-0.5 text-2xl font-semibold tracking-tight tabular-nums">{value}</dd>
      {hint && <dd className="text-[0.8125rem] text-muted">{hint}</dd>}
    </div>
  );
}
