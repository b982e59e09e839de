'use client';

import type { ConnectionState } from '../../lib/live/live-store.ts';
import { classes } from '../ui/classes.ts';
import { useConnection } from './live-provider.tsx';

const looks: Readonly<Record<ConnectionState, { readonly label: string; readonly dot: string }>> = {
  connecting: { label: 'Connecting', dot: 'bg-line-strong animate-breathe' },
  live: { label: 'Live', dot: 'bg-ok-solid' },
  lost: { label: 'Reconnecting', dot: 'bg-warn-solid animate-breathe' },
  offline: { label: 'Reconnecting', dot: 'bg-warn-solid animate-breathe' },
};

/** Whether what the page shows is kept up to date. */
export function ConnectionIndicator() {
  const { label, dot } = looks[useConnection()];
  return (
    <p role="status" className="flex items-center gap-2 text-[0.8125rem] text-muted">
      <span aria-hidden className={classes('size-2 rounded-full', dot)} />
      {label}
    </p>
  );
}
