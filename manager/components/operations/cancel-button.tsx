'use client';

import { Ban } from 'lucide-react';
import { Button } from '../ui/button.tsx';
import { ConfirmDialog } from '../ui/confirm-dialog.tsx';
import { notifyProblem } from '../ui/notify-problem.ts';
import { cancelOperation } from './operation-actions.ts';

/** @param title of the operation, e.g. `Build demo.guest` */
export function CancelButton({ id, title }: { readonly id: string; readonly title: string }) {
  return (
    <ConfirmDialog
      trigger={
        <Button>
          <Ban aria-hidden className="size-4" />
          Cancel<span className="sr-only">: {title}</span>
        </Button>
      }
      title={`Cancel “${title}”?`}
      confirm={`Cancel “${title}”`}
      refuse="Let it go on"
      onConfirm={async () => {
        const outcome = await cancelOperation(id);
        if (!outcome.ok) notifyProblem(outcome.problem);
      }}
    >
      What it has done so far is undone. Whoever waits for it is told that it was cancelled.
    </ConfirmDialog>
  );
}
