'use client';

import { Button } from '../ui/button.tsx';

interface CrashViewProps {
  readonly error: unknown;
  readonly retry: () => void;
}

/** What shows when a page of ours has a mistake. */
export function CrashView({ error, retry }: CrashViewProps) {
  const digest = error instanceof Error && 'digest' in error && typeof error.digest === 'string' ? error.digest : undefined;
  return (
    <div role="alert" className="mx-auto max-w-md py-16 text-center">
      <h1 className="text-xl font-semibold">This page broke</h1>
      <p className="mt-2 text-muted">
        The cloudlet itself is not affected. The manager’s log says more{digest === undefined ? '.' : ` under ${digest}.`}
      </p>
      <Button tone="primary" className="mt-6" onClick={retry}>
        Try again
      </Button>
    </div>
  );
}
