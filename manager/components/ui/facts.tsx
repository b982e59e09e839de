import type { ReactNode } from 'react';

export type Fact = readonly [term: string, value: ReactNode];

/** Names and values, e.g. what a Service VM is made of. A value that is null is left out with its name. */
export function Facts({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl className="grid grid-cols-[minmax(6.5rem,auto)_minmax(0,1fr)] gap-x-6 gap-y-2.5 text-sm">
      {facts
        .filter(([, value]) => value !== null)
        .map(([term, value]) => (
          <div key={term} className="col-span-2 grid grid-cols-subgrid items-baseline">
            <dt className="text-muted">{term}</dt>
            <dd className="min-w-0 break-words">{value}</dd>
          </div>
        ))}
    </dl>
  );
}
