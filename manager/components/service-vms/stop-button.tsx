'use client';

import { Square } from 'lucide-react';
import { formatCount } from '../../lib/text/format-quantity.ts';
import { Button } from '../ui/button.tsx';
import { ConfirmDialog } from '../ui/confirm-dialog.tsx';
import { notifyProblem } from '../ui/notify-problem.ts';
import { stopServiceVm } from './service-vm-actions.ts';

interface StopButtonProps {
  readonly id: string;
  readonly serviceId: string;
  readonly users: number;
}

export function StopButton({ id, serviceId, users }: StopButtonProps) {
  return (
    <ConfirmDialog
      trigger={
        <Button>
          <Square aria-hidden className="size-3.5" />
          Stop<span className="sr-only"> {serviceId}</span>
        </Button>
      }
      title={`Stop ${serviceId}?`}
      confirm={`Stop ${serviceId}`}
      refuse="Keep it running"
      onConfirm={async () => {
        const outcome = await stopServiceVm(id);
        if (!outcome.ok) notifyProblem(outcome.problem);
      }}
    >
      <p>
        Service VM <span className="font-mono text-[0.8125rem] break-all">{id}</span> ends at once, and what it holds in memory is lost.
      </p>
      {users > 0 && <p className="mt-2 font-medium text-ink">{formatCount(users, 'user')} will lose the connection.</p>}
    </ConfirmDialog>
  );
}
