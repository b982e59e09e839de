import Link from 'next/link';
import type { ComponentPropsWithRef } from 'react';

/** A link to a page of ours. What pages show is live, so that fetching them ahead would be for nothing. */
export function PageLink(props: Omit<ComponentPropsWithRef<typeof Link>, 'prefetch'>) {
  return <Link {...props} prefetch={false} />;
}
