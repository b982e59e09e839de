import type { ReactNode } from 'react';
import type { Theme } from '../../lib/theme.ts';
import { ConnectionBanner } from '../live/connection-banner.tsx';
import { ConnectionIndicator } from '../live/connection-indicator.tsx';
import { Brand } from './brand.tsx';
import { MobileMenu } from './mobile-menu.tsx';
import { NavLinks } from './nav-links.tsx';
import { SignOutButton } from './sign-out-button.tsx';
import { ThemeSwitch } from './theme-switch.tsx';

interface ShellProps {
  readonly theme: Theme;
  /** What runs now, below every page. */
  readonly activity: ReactNode;
  readonly children: ReactNode;
}

/** What is around every page of somebody who is signed in. */
export function Shell({ theme, activity, children }: ShellProps) {
  const settings = (
    <>
      <ThemeSwitch theme={theme} />
      <SignOutButton />
    </>
  );
  return (
    <>
      <a
        href="#main"
        className="sr-only focus-visible:not-sr-only focus-visible:fixed focus-visible:top-2 focus-visible:left-2 focus-visible:z-50 focus-visible:rounded-md focus-visible:bg-surface focus-visible:px-4 focus-visible:py-2"
      >
        Skip to the content
      </a>
      <div className="min-h-dvh lg:grid lg:grid-cols-[14.5rem_minmax(0,1fr)]">
        <div className="sticky top-0 hidden h-dvh flex-col border-r border-line px-4 py-5 lg:flex">
          <div className="mb-6 px-2">
            <Brand />
          </div>
          <nav aria-label="Main">
            <NavLinks />
          </nav>
          <div className="mt-auto flex flex-col gap-3">
            <div className="px-2.5">
              <ConnectionIndicator />
            </div>
            {settings}
          </div>
        </div>
        <div className="flex min-h-dvh min-w-0 flex-col">
          <header className="sticky top-0 z-30 flex h-14 items-center justify-between border-b border-line bg-canvas px-4 lg:hidden">
            <Brand />
            <div className="flex items-center gap-3">
              <ConnectionIndicator />
              <MobileMenu footer={settings} />
            </div>
          </header>
          <ConnectionBanner />
          <main id="main" tabIndex={-1} className="mx-auto w-full max-w-6xl flex-1 px-4 pt-7 pb-16 outline-none sm:px-8 lg:pt-10">
            {children}
          </main>
          {activity}
        </div>
      </div>
    </>
  );
}
