import { CancellationScope, condition, isCancellation, log } from '@temporalio/workflow';
import { onHost, onHostUntilDone } from './activities.ts';
import type { ErrorCode } from './contract/errors.ts';
import { describeFailure } from './contract/failure.ts';
import type { OperationProgress } from './contract/operation.ts';
import type { GuestStopped, Placement, StartRung } from './contract/service-vm.ts';
import { msPerMinute, msPerSecond } from './contract/units.ts';
import { applicationFailure } from './failures.ts';
import type { Saga, Step } from './saga.ts';

/** A rung that starts a guest anew; `join` is a lease on one that runs already, `claim` takes one that waits. */
type GuestRung = Exclude<StartRung, 'join' | 'claim'>;

/** A guest that answers. */
export interface StartedGuest {
  readonly rung: Exclude<StartRung, 'join'>;
  readonly bootId: string;
}

/** A restored guest answers at once or never. */
const restoreTimeoutMs = 30 * msPerSecond;

/** Failures of one rung that say nothing about the next. */
const fallsThrough: readonly ErrorCode[] = ['hypervisor-refused', 'image-unavailable', 'guest-unresponsive', 'internal'];

export interface Climb {
  readonly serviceVmId: string;
  readonly placement: Placement;
  /** Begins another boot of the guest. */
  readonly nextBootId: () => string;
  /** What the watcher saw of the end of the present boot's guest. */
  readonly guestGone: () => GuestStopped | undefined;
  readonly report: (phase: string, step: number, message: string) => OperationProgress;
}

/**
 * Brings a guest up by the cheapest rung that serves, each one's leavings undone before the next is tried.
 * @returns the rung and boot that answered
 * @throws the failure of the last rung
 */
export async function climb(saga: Saga, { serviceVmId, placement, nextBootId, guestGone, report }: Climb): Promise<StartedGuest> {
  const { hostId, readinessTimeoutMs } = placement;
  const host = onHost(hostId);
  const undo = onHostUntilDone(hostId);
  /** What a rung does once it has a disk. */
  const guestSteps: Readonly<Record<GuestRung, (bootId: string) => readonly Step[]>> = {
    restore: (bootId) => [
      {
        name: 'restoreGuest',
        run: () => {
          const timeoutMs = Math.min(readinessTimeoutMs, restoreTimeoutMs);
          const progress = report('restore', 3, 'Restoring the saved state');
          return whileGuestLives(
            () => onHost(hostId, timeoutMs + guestMarginMs).restoreGuest({ serviceVmId, bootId, timeoutMs, progress }),
            guestGone,
          );
        },
        undo: () => undo.destroyGuest({ serviceVmId }),
      },
    ],
    'cold-boot': (bootId) => [
      {
        name: 'bootGuest',
        run: () => host.bootGuest({ serviceVmId, bootId, progress: report('cold-boot', 3, 'Booting the guest') }),
        undo: () => undo.destroyGuest({ serviceVmId }),
      },
      {
        name: 'awaitGuest',
        run: () => {
          const progress = report('probe', 4, 'Waiting until the service answers');
          return whileGuestLives(
            () => onHost(hostId, readinessTimeoutMs + guestMarginMs).awaitGuest({ serviceVmId, timeoutMs: readinessTimeoutMs, progress }),
            guestGone,
          );
        },
      },
    ],
  };
  const rungs = placement.rungs.filter((rung): rung is GuestRung => rung in guestSteps);
  for (const [index, rung] of rungs.entries()) {
    const bootId = nextBootId();
    const steps: readonly Step[] = [
      {
        name: 'cloneDisk',
        run: () => host.cloneDisk({ serviceVmId, rung, progress: report('clone', 2, 'Cloning the disk') }),
        undo: () => undo.removeDisk({ serviceVmId }),
      },
      ...guestSteps[rung](bootId),
    ];
    const mark = saga.mark();
    try {
      for (const step of steps) await saga.run(step);
      return { rung, bootId };
    } catch (error) {
      const { code, detail } = describeFailure(error);
      const last = index === rungs.length - 1;
      if (isCancellation(error) || last || !fallsThrough.includes(code)) throw error;
      log.warn('A rung of the start ladder failed; trying the next', { rung, code, detail });
      await saga.unwindTo(mark);
    }
  }
  throw new Error('The placement names no rung that starts a guest');
}

/** A warm guest answered before it was paused: it does so at once or never. */
const claimTimeoutMs = 5 * msPerSecond;

/**
 * The rung above those: a guest that waits, paused, goes on.
 * @param bootId of that guest
 * @returns undefined where it does not answer; whatever is left of it is the caller's to undo
 */
export async function claim({ serviceVmId, placement, guestGone, report }: Climb, bootId: string): Promise<StartedGuest | undefined> {
  const progress = report('claim', 3, 'Waking a warm instance');
  try {
    await whileGuestLives(
      () => onHost(placement.hostId, 2 * claimTimeoutMs).claimGuest({ serviceVmId, bootId, timeoutMs: claimTimeoutMs, progress }),
      guestGone,
    );
    return { rung: 'claim', bootId };
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('A warm instance could not be claimed; trying the next rung', { failure: describeFailure(error) });
    return undefined;
  }
}

/** What an activity that waits for a guest may take beyond the time that it gives the guest to answer. */
const guestMarginMs = 5 * msPerMinute;

/** Waits for the guest's application, but no longer than its guest lives. */
async function whileGuestLives(work: () => Promise<void>, guestGone: Climb['guestGone']): Promise<void> {
  const probe = new CancellationScope();
  const answered = probe.run(work);
  // Whoever loses the race must not fail the workflow afterwards.
  answered.catch(() => undefined);
  await Promise.race([answered, condition(() => guestGone() !== undefined)]);
  const gone = guestGone();
  if (gone) {
    probe.cancel();
    throw applicationFailure({
      code: 'guest-unresponsive',
      detail: describeEnd(gone),
      facts: {},
    });
  }
  await answered;
}

const describeEnd = ({ reason, detail }: GuestStopped): string =>
  reason === 'guest-crashed'
    ? `${detail} while it was starting. Has the host enough memory? The serial log of the guest says more: cloudlet vm logs.`
    : 'The guest stopped by itself while it was starting. Its serial log says more: cloudlet vm logs.';
