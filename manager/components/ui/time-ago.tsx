'use client';

import { formatAge, formatAgo, formatUtc } from '../../lib/text/format-time.ts';
import { useNow } from './use-now.ts';

/** How long ago a moment was; the moment itself shows on hover. */
export function TimeAgo({ time }: { readonly time: string }) {
  const now = useNow();
  return (
    // What the server said a moment ago is no fault.
    <time dateTime={time} title={formatUtc(time)} suppressHydrationWarning className="whitespace-nowrap tabular-nums">
      {formatAgo(now - Date.parse(time))}
    </time>
  );
}

/** How long something has been going on since a moment. */
export function Age({ since }: { readonly since: string }) {
  const now = useNow();
  return (
    <time dateTime={since} title={`Since ${formatUtc(since)}`} suppressHydrationWarning className="whitespace-nowrap tabular-nums">
      {formatAge(now - Date.parse(since))}
    </time>
  );
}
