'use client';

import { Pin } from 'lucide-react';
import { useTransition } from 'react';
import { msPerSecond } from '../../../workflows/contract/units.ts';
import { formatAge } from '../../lib/text/format-time.ts';
import { Button } from '../ui/button.tsx';
import { notifyProblem } from '../ui/notify-problem.ts';
import { notify } from '../ui/toaster.tsx';
import { holdServiceVm } from './service-vm-actions.ts';

/** An instance that nobody uses ends; this counts as use for the length of one lease. */
export function HoldButton({ id, serviceId }: { readonly id: string; readonly serviceId: string }) {
  const [pending, startTransition] = useTransition();
  const hold = (): void =>
    startTransition(async () => {
      const outcome = await holdServiceVm(id);
      if (!outcome.ok) return notifyProblem(outcome.problem);
      notify({
        tone: 'ok',
        title: `${serviceId} is held`,
        description: `It stays for ${formatAge(outcome.value.heldSeconds * msPerSecond)}, and longer while somebody uses it.`,
      });
    });
  return (
    <Button tone="ghost" aria-disabled={pending} onClick={pending ? undefined : hold} title="Keep it although nobody else uses it">
      <Pin aria-hidden className="size-4" />
      Hold<span className="sr-only"> {serviceId}</span>
    </Button>
  );
}
