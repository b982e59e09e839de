'use client';

import { useRouter } from 'next/navigation';
import { createContext, useContext, useEffect, useState, useSyncExternalStore, type ReactNode } from 'react';
import type { Progress } from '../../../workflows/contract/operation.ts';
import { LiveConnection } from '../../lib/live/live-connection.ts';
import type { LiveMessage, OperationOutcome } from '../../lib/live/live-message.ts';
import { LiveStore, type ConnectionState } from '../../lib/live/live-store.ts';
import { sessionEndedPath } from '../../lib/session/sign-in-path.ts';
import { operationOutcome } from '../../lib/text/operation-words.ts';
import type { Tone } from '../ui/tone.ts';
import { notify } from '../ui/toaster.tsx';

const LiveContext = createContext(new LiveStore());

/** Keeps the pages inside it up to date while they are open, and tells how operations end. */
export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const router = useRouter();
  const [store] = useState(() => new LiveStore());

  useEffect(() => {
    const tell = (message: LiveMessage): void => {
      if (message.kind === 'signed-out') window.location.assign(sessionEndedPath);
      if (message.kind === 'outcome' && (message.byAdmin || message.state === 'failed')) notifyOutcome(message);
    };
    const connection = new LiveConnection(store, { refresh: () => router.refresh(), tell });
    connection.open();
    return () => connection.close();
  }, [router, store]);

  return <LiveContext value={store}>{children}</LiveContext>;
}

const outcomeTones: Readonly<Record<OperationOutcome['state'], Tone>> = { succeeded: 'ok', failed: 'bad', cancelled: 'idle' };

function notifyOutcome({ operation, operationId, state, name, detail }: OperationOutcome): void {
  notify({
    tone: outcomeTones[state],
    title: operationOutcome(operation, state, name),
    ...(state === 'failed' && detail !== undefined ? { description: detail } : {}),
    ...(state === 'succeeded' ? {} : { link: { href: `/operations/${operationId}`, label: 'Show the operation' } }),
  });
}

export function useConnection(): ConnectionState {
  const store = useContext(LiveContext);
  return useSyncExternalStore(
    store.subscribe,
    () => store.snapshot().connection,
    () => store.initial().connection,
  );
}

/** Progress of an operation that runs: the latest that was told, else what the server rendered. */
export function useProgress(operationId: string, rendered: Progress | null): Progress | null {
  const store = useContext(LiveContext);
  const told = useSyncExternalStore(
    store.subscribe,
    () => store.snapshot().progress.get(operationId),
    () => undefined,
  );
  return told ?? rendered;
}
