'use client';

import { LoaderCircle, Play } from 'lucide-react';
import { useTransition } from 'react';
import { msPerSecond } from '../../../workflows/contract/units.ts';
import { formatAge } from '../../lib/text/format-time.ts';
import { Button } from '../ui/button.tsx';
import { notifyProblem } from '../ui/notify-problem.ts';
import { notify } from '../ui/toaster.tsx';
import { startService, type Started } from './service-actions.ts';

/** @param disabledReason why it cannot be started now, if so */
export function StartButton({ serviceId, disabledReason }: { readonly serviceId: string; readonly disabledReason?: string }) {
  const [pending, startTransition] = useTransition();
  const start = (): void =>
    startTransition(async () => {
      const outcome = await startService(serviceId, crypto.randomUUID());
      if (outcome.ok) notifyStarted(serviceId, outcome.value);
      else notifyProblem(outcome.problem);
    });
  const Icon = pending ? LoaderCircle : Play;
  return (
    <Button
      tone="primary"
      disabled={disabledReason !== undefined}
      title={disabledReason}
      aria-disabled={pending}
      onClick={pending ? undefined : start}
    >
      <Icon aria-hidden className={pending ? 'size-4 animate-spin' : 'size-3.5 fill-current'} />
      Start<span className="sr-only"> {serviceId}</span>
    </Button>
  );
}

function notifyStarted(serviceId: string, { serviceVmId, joined, ready, heldSeconds }: Started): void {
  notify({
    tone: ready ? 'ok' : 'busy',
    title: joined ? `You share the ${serviceId} that runs` : `${serviceId} starts`,
    description: `It stays for ${formatAge(heldSeconds * msPerSecond)}, and longer while somebody uses it.`,
    link: { href: `/service-vms/${serviceVmId}`, label: 'Show the Service VM' },
  });
}
