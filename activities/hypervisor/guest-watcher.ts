import { bootedInstances } from '../store/instances.ts';
import type { HostContext } from './host-context.ts';
import type { WorkflowSignals } from './workflow-signals.ts';

export interface GuestWatch extends Pick<HostContext, 'hostId' | 'hypervisor' | 'store' | 'domainPrefix'> {
  readonly signals: WorkflowSignals;
}

/**
 * Tells workflows that their guest is gone, as the hypervisor reports it. At first, and after a gap in the reports, it
 * compares what should run with what does.
 * @returns when the signal says stop
 */
export async function watchGuests(watch: GuestWatch, signal: AbortSignal): Promise<void> {
  const { hypervisor, domainPrefix, signals } = watch;
  for await (const item of hypervisor.news(signal)) {
    if (item.kind === 'reconnected') await tellMissing(watch);
    else if (item.name.startsWith(domainPrefix)) {
      const { bootId, reason, detail } = item;
      await signals.guestStopped(item.name.slice(domainPrefix.length), { bootId, reason, detail });
    }
  }
}

/** Instances that should run here and do not: the machine was restarted, or somebody ended them behind our back. */
export async function tellMissing({ hostId, hypervisor, store, signals }: GuestWatch): Promise<void> {
  const present = new Set((await hypervisor.listDomains()).map(({ bootId }) => bootId));
  for (const { serviceVmId, bootId, bootedBefore } of await bootedInstances(store, hostId)) {
    if (present.has(bootId)) continue;
    await signals.guestStopped(serviceVmId, {
      bootId,
      reason: bootedBefore ? 'host-rebooted' : 'lost',
      detail: bootedBefore ? 'The host was restarted' : 'The hypervisor does not know the guest any more',
    });
  }
}
