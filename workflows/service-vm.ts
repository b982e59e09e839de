import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  isCancellation,
  log,
  setCurrentDetails,
  setHandler,
  sleep,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import { onHost, onHostUntilDone, records } from './activities.ts';
import { describeFailure, type DescribedFailure } from './contract/failure.ts';
import type { OperationProgress } from './contract/operation.ts';
import {
  serviceVmMessages,
  type EndReason,
  type GuestStopped,
  type LeasesChanged,
  type Placement,
  type SavedGuest,
  type ServiceVmInput,
  type ServiceVmOutcome,
  type ServiceVmReady,
  type ServiceVmState,
  type StopServiceVm,
} from './contract/service-vm.ts';
import { msPerMinute, msPerSecond } from './contract/units.ts';
import { applicationFailure } from './failures.ts';
import { raiseEvent } from './raise-event.ts';
import { Saga, type Step } from './saga.ts';
import { climb } from './start-ladder.ts';

export const awaitReady = defineUpdate<ServiceVmReady>(serviceVmMessages.awaitReady);
export const stop = defineUpdate<ServiceVmOutcome, [StopServiceVm]>(serviceVmMessages.stop);
export const leasesChanged = defineSignal<[LeasesChanged]>(serviceVmMessages.leasesChanged);
export const guestStopped = defineSignal<[GuestStopped]>(serviceVmMessages.guestStopped);
export const progress = defineQuery<ServiceVmProgress>(serviceVmMessages.progress);

export interface ServiceVmProgress {
  readonly state: ServiceVmState;
  readonly progress: OperationProgress;
}

const ownSteps = 5;
/** A guest that keeps dying is given up; one that stayed up for long starts counting anew. */
const maximumRestarts = 5;
const restartCountResetMs = 10 * msPerMinute;
const restartDelayMs = (restarts: number): number => Math.min(2 ** (restarts - 1), 30) * msPerSecond;

/**
 * The life of one Service VM, from request to retirement. It lives as long as its instance: every running VM is one
 * open execution. Provisioning is a saga; retiring is that same saga, undone.
 */
export async function serviceVm(input: ServiceVmInput): Promise<ServiceVmOutcome> {
  const { serviceVmId, serviceId, operationId } = input;
  const { stepsBefore, steps } = input.within ?? { stepsBefore: 0, steps: ownSteps };
  const saga = new Saga();
  let state: ServiceVmState = input.carried ? 'ready' : 'requested';
  let placement: Placement | undefined = input.carried?.placement;
  let ready: ServiceVmReady | undefined = input.carried?.ready;
  let bootId = input.carried?.bootId ?? '';
  let restarts = input.carried?.restarts ?? 0;
  let readySinceMs = input.carried?.readySinceMs ?? 0;
  let latest: OperationProgress = { operationId, phase: state, step: 0, steps, message: 'Asked for' };
  let unused = false;
  let stopping: EndReason | undefined;
  let gone: GuestStopped | undefined;
  let failure: DescribedFailure | undefined;
  let outcome: ServiceVmOutcome | undefined;
  const bringingUp = new CancellationScope();

  const report = (phase: string, step: number, message: string): OperationProgress => {
    latest = { operationId, phase, step: stepsBefore + step, steps, message };
    setCurrentDetails(`**${state}** · ${message}\n\nservice \`${serviceId}\`${placement ? ` · host \`${placement.hostId}\`` : ''}`);
    return latest;
  };

  setHandler(awaitReady, async () => {
    await condition(() => (state === 'ready' && ready !== undefined) || failure !== undefined || stopping !== undefined);
    if (state === 'ready' && ready) return ready;
    throw applicationFailure(
      failure ?? {
        code: 'state-conflict',
        detail: 'The Service VM was stopped before it was ready. Start it again.',
        facts: { state: 'stopped' },
      },
    );
  });
  setHandler(
    stop,
    async ({ by }) => {
      stopping ??= 'asked';
      log.info('Asked to stop', { by });
      bringingUp.cancel();
      await condition(() => outcome !== undefined);
      return outcome!;
    },
    {
      validator: (_request: StopServiceVm) => {
        if (outcome)
          throw applicationFailure({
            code: 'state-conflict',
            detail: 'The Service VM has ended already.',
            facts: { state: outcome.state },
          });
      },
    },
  );
  setHandler(leasesChanged, ({ users }) => {
    unused = users === 0;
  });
  setHandler(guestStopped, (news) => {
    if (news.bootId === bootId) gone = news;
  });
  setHandler(progress, () => ({ state, progress: latest }));

  const reserve: Step = {
    name: 'reserve',
    run: async () => {
      placement = await records.reserve({ serviceVmId, progress: report('reserve', 1, 'Finding room') });
      state = 'provisioning';
    },
    undo: () => records.release({ serviceVmId }),
  };

  /** From reserved to answering. Cancelled when somebody asks to stop. */
  const bringUp = async (): Promise<void> => {
    const started = await climb(saga, {
      serviceVmId,
      placement: placement!,
      bootIdOf: () => {
        bootId = uuid4();
        gone = undefined;
        return bootId;
      },
      guestGone: (boot) => gone?.bootId === boot,
      report,
    });
    if (input.purpose === 'build') return;
    ready = await records.publishReady({ serviceVmId, ...started, progress: report('publish', 5, 'Ready') });
    state = 'ready';
    readySinceMs = Date.now();
    report('ready', 5, 'Ready');
  };

  /** While it serves. @returns whether the guest is to be started again */
  const serve = async (): Promise<boolean> => {
    for (;;) {
      await condition(() => stopping !== undefined || gone !== undefined || unused || workflowInfo().continueAsNewSuggested);
      if (stopping) return false;
      if (gone) {
        stopping = await afterGuestStopped(gone);
        return stopping === undefined;
      }
      if (unused) {
        unused = false;
        if (await records.retireIfUnused({ serviceVmId })) {
          stopping = 'last-user-left';
          return false;
        }
        continue;
      }
      await condition(allHandlersFinished);
      const carried = { placement: placement!, ready: ready!, bootId, restarts, readySinceMs };
      await continueAsNew<typeof serviceVm>({ ...input, carried });
    }
  };

  /** @returns why the instance ends, or undefined when its restart policy brings it back */
  const afterGuestStopped = async ({ reason }: GuestStopped): Promise<EndReason | undefined> => {
    if (Date.now() - readySinceMs > restartCountResetMs) restarts = 0;
    const { restartPolicy } = placement!;
    const wanted = restartPolicy === 'always' || (restartPolicy === 'on-failure' && reason !== 'guest-stopped');
    if (!wanted || restarts >= maximumRestarts || (await records.retireIfUnused({ serviceVmId }))) return reason;
    restarts += 1;
    state = 'provisioning';
    ready = undefined;
    await records.publishRestarting({ serviceVmId, restarts, reason });
    return undefined;
  };

  let saved: SavedGuest | undefined;
  try {
    if (input.carried) {
      adoptCarried(saga, reserve, input.carried.placement, serviceVmId);
    } else {
      await bringingUp.run(async () => {
        await saga.run(reserve);
        await raiseEvent(placement!.events, 'serviceVm.provisioning', { serviceVmId, serviceId, hostId: placement!.hostId });
      });
    }
    const reserved = 1;
    for (let again = !input.carried; ; again = true) {
      if (again) {
        await bringingUp.run(bringUp);
        if (input.purpose === 'build') {
          saved = await bringingUp.run(() => saveReadyState(placement!.hostId, serviceVmId, bootId, report));
          break;
        }
      }
      const notified = again
        ? raiseEvent(placement!.events, 'serviceVm.ready', { serviceVmId, serviceId, hostId: placement!.hostId })
        : undefined;
      const restart = await serve();
      await notified;
      if (!restart) break;
      await saga.unwindTo(reserved);
      await bringingUp.run(() => sleep(restartDelayMs(restarts)));
    }
  } catch (error) {
    if (!isCancellation(error)) failure = describeFailure(error);
    // Temporal's own cancellation of the execution is a stop, too.
    else stopping ??= 'asked';
  }

  return CancellationScope.nonCancellable(async () => {
    const reason: EndReason = stopping ?? (failure ? 'start-failed' : 'asked');
    const events = placement?.events ?? [];
    // Written first: from here on nobody joins an instance that goes away.
    await records.publishStopping({ serviceVmId, reason });
    state = 'stopping';
    report('stopping', ownSteps, 'Stopping');
    await raiseEvent(events, 'serviceVm.stopping', { serviceVmId, serviceId, hostId: placement?.hostId ?? '' });
    await saga.unwind();
    outcome = {
      state: failure ? 'failed' : 'stopped',
      reason,
      ...(failure ? { error: failure } : {}),
      ...(saved ? { saved } : {}),
    };
    await records.recordEnd({ serviceVmId, outcome });
    state = outcome.state;
    await (failure
      ? raiseEvent(events, 'serviceVm.failed', { serviceVmId, serviceId, code: failure.code, detail: failure.detail })
      : raiseEvent(events, 'serviceVm.stopped', { serviceVmId, serviceId, reason }));
    await condition(allHandlersFinished);
    if (failure) throw applicationFailure(failure);
    return outcome;
  });
}

/** A run that continues as new did none of the steps itself, yet must undo all of them in the end. */
function adoptCarried(saga: Saga, reserve: Step, placement: Placement, serviceVmId: string): void {
  const undo = onHostUntilDone(placement.hostId);
  saga.adopt(reserve);
  saga.adopt({ name: 'cloneDisk', run: async () => {}, undo: () => undo.removeDisk({ serviceVmId }) });
  saga.adopt({ name: 'startGuest', run: async () => {}, undo: () => undo.destroyGuest({ serviceVmId }) });
}

async function saveReadyState(
  hostId: string,
  serviceVmId: string,
  bootId: string,
  report: (phase: string, step: number, message: string) => OperationProgress,
): Promise<SavedGuest> {
  const host = onHost(hostId);
  await host.warmUpGuest({ serviceVmId, progress: report('warm-up', 4, 'Warming up') });
  return host.saveGuest({ serviceVmId, bootId, progress: report('save', 5, 'Saving the ready state') });
}
