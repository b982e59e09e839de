'use client';

import { CloudOff } from 'lucide-react';
import type { ConnectionState } from '../../lib/live/live-store.ts';
import { useConnection } from './live-provider.tsx';

const sentences: Partial<Readonly<Record<ConnectionState, string>>> = {
  lost: 'The cloudlet’s API does not answer, so what you see may be out of date. Start it with npm start; this page comes back by itself.',
  offline: 'The manager does not answer, so what you see may be out of date. Start it with npm start; this page comes back by itself.',
};

/** Says when the page is out of date, and what to do about it. */
export function ConnectionBanner() {
  const sentence = sentences[useConnection()];
  return (
    <div role="alert">
      {sentence !== undefined && (
        <p className="flex items-start gap-3 border-b border-line bg-warn-soft px-5 py-2.5 text-sm text-warn">
          <CloudOff aria-hidden className="mt-0.5 size-4 shrink-0" />
          {sentence}
        </p>
      )}
    </div>
  );
}
