'use client';

import { AlertDialog } from '@base-ui/react/alert-dialog';
import { useState, useTransition, type ReactElement, type ReactNode } from 'react';
import { Button, buttonClass } from './button.tsx';

interface ConfirmDialogProps {
  /** The button that opens it. */
  readonly trigger: ReactElement;
  /** As a question. */
  readonly title: string;
  /** What happens then. */
  readonly children: ReactNode;
  /** The button that does it; names what it is done to. */
  readonly confirm: string;
  /** The button that leaves everything as it is. */
  readonly refuse: string;
  readonly onConfirm: () => Promise<void>;
}

/** Asks before something is done that cannot be undone. */
export function ConfirmDialog({ trigger, title, children, confirm, refuse, onConfirm }: ConfirmDialogProps) {
  const [open, setOpen] = useState(false);
  const [pending, startTransition] = useTransition();
  const act = (): void =>
    startTransition(async () => {
      await onConfirm();
      setOpen(false);
    });
  return (
    <AlertDialog.Root open={open} onOpenChange={setOpen}>
      <AlertDialog.Trigger render={trigger} />
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="fixed inset-0 z-40 bg-scrim transition-opacity duration-150 data-ending-style:opacity-0 data-starting-style:opacity-0" />
        <AlertDialog.Popup className="fixed top-1/2 left-1/2 z-50 w-[min(27rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 rounded-xl border border-line bg-surface p-6 shadow-floating transition-[opacity,scale] duration-150 outline-none data-ending-style:scale-97 data-ending-style:opacity-0 data-starting-style:scale-97 data-starting-style:opacity-0">
          <AlertDialog.Title className="text-lg leading-snug font-semibold break-words">{title}</AlertDialog.Title>
          <AlertDialog.Description render={<div />} className="mt-2 text-sm text-muted">
            {children}
          </AlertDialog.Description>
          <div className="mt-6 flex flex-wrap justify-end gap-2">
            <AlertDialog.Close className={buttonClass('plain')}>{refuse}</AlertDialog.Close>
            <Button tone="danger" aria-disabled={pending} onClick={pending ? undefined : act} className="min-w-0 whitespace-normal">
              {confirm}
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
