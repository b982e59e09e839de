'use client';

import { Activity, Blocks, Gauge, Layers, Server, type LucideIcon } from 'lucide-react';
import { usePathname } from 'next/navigation';
import { PageLink } from '../ui/page-link.tsx';
import { classes } from '../ui/classes.ts';

interface Place {
  readonly label: string;
  readonly href: string;
  readonly icon: LucideIcon;
}

const places: readonly Place[] = [
  { label: 'Overview', href: '/', icon: Gauge },
  { label: 'Services', href: '/services', icon: Layers },
  { label: 'Service VMs', href: '/service-vms', icon: Server },
  { label: 'Operations', href: '/operations', icon: Activity },
  { label: 'Plugins', href: '/plugins', icon: Blocks },
];

const isAt = (pathname: string, href: string): boolean => (href === '/' ? pathname === '/' : `${pathname}/`.startsWith(`${href}/`));

/** The places of the manager; the one that is shown is marked. */
export function NavLinks({ onNavigate }: { readonly onNavigate?: () => void }) {
  const pathname = usePathname();
  return (
    <ul className="flex flex-col gap-0.5">
      {places.map(({ label, href, icon: Icon }) => {
        const here = isAt(pathname, href);
        return (
          <li key={href}>
            <PageLink
              href={href}
              onClick={onNavigate}
              aria-current={here ? 'page' : undefined}
              className={classes(
                'flex h-9 items-center gap-3 rounded-md px-3 text-sm transition-colors',
                here ? 'bg-accent-soft font-medium text-accent' : 'text-muted hover:bg-inset hover:text-ink',
              )}
            >
              <Icon aria-hidden className="size-4.5 shrink-0" />
              {label}
            </PageLink>
          </li>
        );
      })}
    </ul>
  );
}
