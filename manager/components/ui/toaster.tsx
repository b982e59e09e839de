'use client';

import { Toast } from '@base-ui/react/toast';
import { CircleAlert, CircleCheck, Info, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { PageLink } from './page-link.tsx';
import { textTone, type Tone } from './tone.ts';
import { classes } from './classes.ts';

interface ToastData {
  readonly tone: Tone;
  readonly link?: { readonly href: string; readonly label: string };
}

export interface Notice extends ToastData {
  readonly title: string;
  readonly description?: string;
}

const manager = Toast.createToastManager<ToastData>();

const shownMs = 7_000;
const problemShownMs = 20_000;

const icons: Readonly<Record<Tone, typeof Info>> = {
  ok: CircleCheck,
  busy: Info,
  warn: CircleAlert,
  bad: CircleAlert,
  idle: Info,
};

/** Tells something in a corner of the page, politely, for a while. */
export function notify({ title, description, ...data }: Notice): void {
  manager.add({ title, description, data, timeout: data.tone === 'bad' ? problemShownMs : shownMs });
}

/** Where notices appear, for the whole application. */
export function Toaster({ children }: { readonly children: ReactNode }) {
  return (
    <Toast.Provider toastManager={manager} limit={4}>
      {children}
      <Toast.Portal>
        <Toast.Viewport
          aria-label="Notices"
          className="fixed right-4 bottom-4 left-4 z-50 flex flex-col gap-2 outline-none sm:left-auto sm:w-96 print:hidden"
        >
          <Notices />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function Notices() {
  const { toasts } = Toast.useToastManager<ToastData>();
  return toasts.map((toast) => {
    const { tone, link } = toast.data ?? { tone: 'idle' };
    const Icon = icons[tone];
    return (
      <Toast.Root
        key={toast.id}
        toast={toast}
        className="rounded-lg border border-line bg-surface shadow-floating transition-[opacity,translate] duration-200 data-ending-style:opacity-0 data-limited:hidden data-starting-style:translate-y-3 data-starting-style:opacity-0"
      >
        <Toast.Content className="flex items-start gap-3 p-3.5">
          <Icon aria-hidden className={classes('mt-0.5 size-4.5 shrink-0', textTone[tone])} />
          <div className="min-w-0 flex-1 text-sm">
            <Toast.Title className="font-medium break-words" />
            <Toast.Description className="mt-0.5 break-words text-muted" />
            {link && (
              <PageLink href={link.href} className="mt-1 inline-block font-medium text-accent hover:underline">
                {link.label}
              </PageLink>
            )}
          </div>
          <Toast.Close
            aria-label="Dismiss"
            className="grid size-6 shrink-0 cursor-pointer place-items-center rounded text-muted hover:bg-inset hover:text-ink"
          >
            <X aria-hidden className="size-4" />
          </Toast.Close>
        </Toast.Content>
      </Toast.Root>
    );
  });
}
