import {
  allHandlersFinished,
  CancellationScope,
  condition,
  ContinueAsNew,
  continueAsNew,
  isCancellation,
  log,
  setCurrentDetails,
  setHandler,
  sleep,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import { onHost, onHostUntilDone, records } from './activities.ts';
import type { PluginEventName, PluginEvents } from './contract/event.ts';
import { describeFailure, type DescribedFailure } from './contract/failure.ts';
import type { OperationProgress } from './contract/operation.ts';
import type {
  ClaimedServiceVm,
  EndReason,
  GuestStopped,
  LeftByGuest,
  Placement,
  ServiceVmInput,
  ServiceVmOutcome,
  ServiceVmReady,
  ServiceVmState,
  StopServiceVm,
} from './contract/service-vm.ts';
import { msPerHour, msPerMinute, msPerSecond } from './contract/units.ts';
import { applicationFailure } from './failures.ts';
import { raiseEvent } from './raise-event.ts';
import { Saga, type Step } from './saga.ts';
import { awaitReady, claimed, guestStopped, leasesChanged, progress, retire, saveEdit, stop } from './service-vm-messages.ts';
import { claim, climb, type Climb, type StartedGuest } from './start-ladder.ts';
import { tellPoolThatItIsWarm } from './warm-pool-messages.ts';

/** reserve · clone · boot or restore · probe · publish */
const ownSteps = 5;
/** Where the saga stands when nothing is undone but what the guest needs. */
const reserved = 1;
/** A guest that keeps dying is given up; one that stayed up for long starts counting anew. */
const maximumRestarts = 5;
const restartCountResetMs = 10 * msPerMinute;
/** Of all commands together. */
const recipeTimeoutMs = 2 * msPerHour;
const restartDelayMs = (restarts: number): number => Math.min(2 ** (restarts - 1), 30) * msPerSecond;

/**
 * The life of one Service VM, from request to retirement. It lives as long as its instance: every running VM is one open
 * execution. Provisioning is a saga, and retiring is that same saga undone.
 */
export async function serviceVm(input: ServiceVmInput): Promise<ServiceVmOutcome> {
  return new ServiceVmLife(input).run();
}

class ServiceVmLife {
  readonly #input: ServiceVmInput;
  readonly #saga = new Saga();
  /** Everything that is cut short when somebody asks to stop. */
  readonly #provisioning = new CancellationScope();
  #state: ServiceVmState;
  #placement: Placement | undefined;
  #ready: ServiceVmReady | undefined;
  /** Of the guest that runs, or is being started: news of another boot is old. */
  #bootId: string;
  #restarts: number;
  #readySinceMs: number;
  #progress: OperationProgress;
  /** Nobody uses it, as far as we were told. */
  #unused = false;
  #gone: GuestStopped | undefined;
  /** The admin who works in it wants that kept. */
  #toBeSaved = false;
  /** Why the last attempt to keep it failed. */
  #unsaved: DescribedFailure | undefined;
  /** Of a warm instance: the start that it was claimed for. */
  #claim: ClaimedServiceVm | undefined;
  #endReason: EndReason | undefined;
  #failure: DescribedFailure | undefined;
  #outcome: ServiceVmOutcome | undefined;
  /** Plugins hear of events in their order, but nothing waits for what they do about them. */
  #told: Promise<void> = Promise.resolve();

  constructor(input: ServiceVmInput) {
    const { carried } = input;
    this.#input = input;
    this.#state = carried ? 'ready' : 'requested';
    this.#placement = carried?.placement;
    this.#ready = carried?.ready;
    this.#bootId = carried?.bootId ?? '';
    this.#restarts = carried?.restarts ?? 0;
    this.#readySinceMs = carried?.readySinceMs ?? 0;
    this.#progress = this.#report(this.#state, 0, 'Asked for');
    this.#takeMessages();
  }

  async run(): Promise<ServiceVmOutcome> {
    let left: LeftByGuest | undefined;
    try {
      if (this.#input.carried) this.#adoptSteps(this.#input.carried.placement);
      else await this.#provisioning.run(() => this.#reserve());
      if (this.#input.purpose === 'build') left = await this.#provisioning.run(() => this.#bringUpAndSave());
      else if (this.#input.purpose === 'edit') left = await this.#provisioning.run(() => this.#editUntilSaved());
      else if (this.#input.purpose === 'recipe') left = await this.#provisioning.run(() => this.#runRecipe());
      else if (this.#input.purpose === 'serve' || (await this.#isClaimed())) await this.#serveUntilOver();
    } catch (error) {
      if (error instanceof ContinueAsNew) throw error;
      if (isCancellation(error)) this.#endReason ??= 'asked';
      else this.#failure = describeFailure(error);
    }
    return CancellationScope.nonCancellable(() => this.#end(left));
  }

  #takeMessages(): void {
    setHandler(awaitReady, async (claim) => {
      this.#claim ??= claim;
      await answered(() => this.#ready !== undefined || this.#failure !== undefined || this.#endReason !== undefined);
      if (this.#ready && this.#endReason === undefined) return this.#ready;
      throw applicationFailure(
        this.#failure ?? { code: 'state-conflict', detail: 'The Service VM was stopped. Start it again.', facts: { state: 'stopped' } },
      );
    });
    setHandler(
      stop,
      async ({ by }) => {
        log.info('Asked to stop', { by });
        this.#endReason ??= 'asked';
        this.#provisioning.cancel();
        await answered(() => this.#outcome !== undefined);
        return this.#outcome!;
      },
      {
        validator: (_request: StopServiceVm) => {
          if (this.#outcome === undefined) return;
          throw applicationFailure({
            code: 'state-conflict',
            detail: 'The Service VM has ended already.',
            facts: { state: this.#outcome.state },
          });
        },
      },
    );
    setHandler(
      saveEdit,
      async () => {
        this.#toBeSaved = true;
        this.#unsaved = undefined;
        await answered(() => !this.#toBeSaved || this.#outcome !== undefined);
        const unsaved = this.#unsaved ?? this.#failure;
        if (unsaved) throw applicationFailure(unsaved);
      },
      {
        validator: () => {
          if (this.#input.purpose === 'edit' && this.#state === 'ready' && this.#endReason === undefined) return;
          throw applicationFailure({
            code: 'state-conflict',
            detail: 'There is nothing to save: the editing VM is not up, or ends already.',
            facts: { state: this.#state },
          });
        },
      },
    );
    setHandler(claimed, (claim) => {
      this.#claim ??= claim;
    });
    setHandler(retire, () => {
      this.#endReason ??= 'retired';
      this.#provisioning.cancel();
    });
    setHandler(leasesChanged, ({ users }) => {
      this.#unused = users === 0;
    });
    setHandler(guestStopped, (news) => {
      if (news.bootId === this.#bootId) this.#gone = news;
    });
    setHandler(progress, () => ({ state: this.#state, progress: this.#progress }));
  }

  #report(phase: string, step: number, message: string): OperationProgress {
    const { serviceId, within = { stepsBefore: 0, steps: ownSteps } } = this.#input;
    const operationId = this.#operationId;
    this.#progress = { operationId, phase, step: within.stepsBefore + step, steps: within.steps, message };
    const where = this.#placement ? ` · host \`${this.#placement.hostId}\`` : '';
    setCurrentDetails(`**${this.#state}** · ${message}\n\nservice \`${serviceId}\`${where}`);
    return this.#progress;
  }

  /** The operation that its progress is told to. */
  get #operationId(): string {
    const { purpose, operationId } = this.#input;
    return purpose === 'warm' && this.#claim ? this.#claim.operationId : operationId;
  }

  async #reserve(): Promise<void> {
    const { serviceVmId, serviceId } = this.#input;
    await this.#saga.run({
      ...this.#reserveStep,
      run: async () => {
        this.#placement = await records.reserve({ serviceVmId, progress: this.#report('reserve', 1, 'Finding room') });
        this.#state = 'provisioning';
      },
    });
    const { events, hostId, retired = [] } = this.#placement!;
    if (retired.length > 0) {
      await onHost(hostId).retireWarm({ serviceVmIds: retired, progress: this.#report('reserve', 1, 'Making room') });
    }
    await raiseEvent(events, 'serviceVm.provisioning', { serviceVmId, serviceId, hostId });
  }

  get #reserveStep(): Step {
    return { name: 'reserve', run: async () => {}, undo: () => records.release({ serviceVmId: this.#input.serviceVmId }) };
  }

  /** A run that continues as new did none of the steps itself, yet must undo all of them in the end. */
  #adoptSteps({ hostId }: Placement): void {
    const { serviceVmId } = this.#input;
    const undo = onHostUntilDone(hostId);
    this.#saga.adopt(this.#reserveStep);
    this.#saga.adopt({ name: 'cloneDisk', run: async () => {}, undo: () => undo.removeDisk({ serviceVmId }) });
    this.#saga.adopt({ name: 'startGuest', run: async () => {}, undo: () => undo.destroyGuest({ serviceVmId }) });
  }

  get #climb(): Climb {
    return {
      serviceVmId: this.#input.serviceVmId,
      placement: this.#placement!,
      nextBootId: () => {
        this.#gone = undefined;
        this.#bootId = uuid4();
        return this.#bootId;
      },
      guestGone: () => this.#gone,
      report: (phase, step, message) => this.#report(phase, step, message),
    };
  }

  /** From reserved, or warm, to a guest that answers. */
  async #bringUp(): Promise<StartedGuest> {
    if (this.#state === 'warm') {
      this.#state = 'provisioning';
      const claimedGuest = await claim(this.#climb, this.#bootId);
      if (claimedGuest) return claimedGuest;
      await this.#saga.unwindTo(reserved);
      // Nothing new is reserved: it answers by which rungs the instance can be started now.
      const { serviceVmId } = this.#input;
      this.#placement = await records.reserve({ serviceVmId, progress: this.#report('reserve', 1, 'Trying the next way') });
    }
    return climb(this.#saga, this.#climb);
  }

  /** Starts the guest ahead of time, and has it wait. @returns whether somebody claimed it; if not, it ends */
  async #isClaimed(): Promise<boolean> {
    const { serviceVmId, carried } = this.#input;
    if (carried) return true;
    await this.#provisioning.run(async () => {
      const started = await this.#bringUp();
      await onHost(this.#placement!.hostId).pauseGuest({ serviceVmId });
      if ((await records.publishWarm({ serviceVmId, ...started })) === 'retired') this.#endReason ??= 'retired';
    });
    if (this.#endReason) return false;
    this.#state = 'warm';
    this.#report('warm', ownSteps, 'Waiting to be claimed');
    await tellPoolThatItIsWarm(serviceVmId);
    const claimedOrOver = () => this.#claim !== undefined || this.#endReason !== undefined;
    await condition(() => claimedOrOver() || this.#gone !== undefined);
    // It may have been claimed at this very moment: the row decides. Then whoever did so is heard of soon.
    if (!claimedOrOver() && (await records.retireIfUnused({ serviceVmId }))) this.#endReason ??= this.#gone!.reason;
    await condition(claimedOrOver);
    return this.#endReason === undefined;
  }

  async #bringUpAndSave(): Promise<LeftByGuest> {
    const { serviceVmId } = this.#input;
    await this.#bringUp();
    const host = onHost(this.#placement!.hostId);
    await host.warmUpGuest({ serviceVmId, progress: this.#report('warm-up', 4, 'Warming up') });
    return host.saveGuest({ serviceVmId, bootId: this.#bootId, progress: this.#report('save', 5, 'Saving the ready state') });
  }

  async #runRecipe(): Promise<LeftByGuest> {
    const { serviceVmId } = this.#input;
    await this.#bringUp();
    const { hostId } = this.#placement!;
    await onHost(hostId, recipeTimeoutMs).runRecipe({ serviceVmId, progress: this.#report('recipe', 4, 'Running the recipe') });
    return onHost(hostId).saveDisk({ serviceVmId, progress: this.#report('keep', 5, 'Keeping the disk') });
  }

  /** An admin works in it, for days perhaps. What cannot be saved is not lost: the admin makes room, and saves again. */
  async #editUntilSaved(): Promise<LeftByGuest> {
    const { serviceVmId } = this.#input;
    const started = await this.#bringUp();
    const { vncPort } = await onHost(this.#placement!.hostId).findScreen({ serviceVmId });
    const awaitWish = async (message: string) => {
      this.#toBeSaved = false;
      this.#ready = await records.publishReady({ serviceVmId, ...started, vncPort, progress: this.#report('edit', 4, message) });
      this.#state = 'ready';
      await condition(() => this.#toBeSaved);
    };
    await awaitWish('Ready to be edited');
    for (;;) {
      try {
        return await this.#saveEdited();
      } catch (error) {
        if (isCancellation(error)) throw error;
        this.#unsaved = describeFailure(error);
        await awaitWish(`It was not saved, and can be edited on. ${this.#unsaved.detail}`);
      }
    }
  }

  /** Of a guest that was shut down only the disk is left. */
  #saveEdited(): Promise<LeftByGuest> {
    const host = onHost(this.#placement!.hostId);
    const save = { serviceVmId: this.#input.serviceVmId, progress: this.#report('save', 5, 'Saving what was edited') };
    return this.#gone ? host.saveDisk(save) : host.saveGuest({ ...save, bootId: this.#bootId });
  }

  async #serveUntilOver(): Promise<void> {
    if (!this.#ready) await this.#publish();
    while (await this.#shouldRestart()) {
      await this.#saga.unwindTo(reserved);
      await this.#provisioning.run(() => sleep(restartDelayMs(this.#restarts)));
      await this.#publish();
    }
  }

  async #publish(): Promise<void> {
    const { serviceVmId, serviceId } = this.#input;
    await this.#provisioning.run(async () => {
      const started = await this.#bringUp();
      this.#ready = await records.publishReady({ serviceVmId, ...started, reached: this.#report('publish', 5, 'Ready') });
    });
    this.#state = 'ready';
    this.#readySinceMs = Date.now();
    this.#report('ready', 5, 'Ready');
    this.#tell('serviceVm.ready', { serviceVmId, serviceId, hostId: this.#placement!.hostId });
  }

  #tell<Name extends PluginEventName>(event: Name, payload: PluginEvents[Name]): void {
    const events = this.#placement?.events ?? [];
    this.#told = this.#told.then(() => CancellationScope.nonCancellable(() => raiseEvent(events, event, payload)));
  }

  /** While it serves. @returns false when the instance is to end, true when its guest is to be started again */
  async #shouldRestart(): Promise<boolean> {
    for (;;) {
      await condition(
        () => this.#endReason !== undefined || this.#gone !== undefined || this.#unused || workflowInfo().continueAsNewSuggested,
      );
      if (this.#endReason) return false;
      if (this.#gone) return this.#prepareRestart(this.#gone);
      if (this.#unused) {
        this.#unused = false;
        if (!(await records.retireIfUnused({ serviceVmId: this.#input.serviceVmId }))) continue;
        this.#endReason = 'last-user-left';
        return false;
      }
      await this.#continueAsNew();
    }
  }

  /** @returns whether the restart policy brings the guest back; if not, why it ends is noted */
  async #prepareRestart({ reason }: GuestStopped): Promise<boolean> {
    const { serviceVmId } = this.#input;
    const { restartPolicy } = this.#placement!;
    if (Date.now() - this.#readySinceMs > restartCountResetMs) this.#restarts = 0;
    const wanted = restartPolicy === 'always' || (restartPolicy === 'on-failure' && reason !== 'guest-stopped');
    if (!wanted || this.#restarts >= maximumRestarts || (await records.retireIfUnused({ serviceVmId }))) {
      this.#endReason = reason;
      return false;
    }
    this.#restarts += 1;
    this.#ready = undefined;
    this.#state = 'provisioning';
    await records.publishRestarting({ serviceVmId, restarts: this.#restarts, reason });
    return true;
  }

  /** History must not grow for ever, and an instance may live for months. */
  async #continueAsNew(): Promise<void> {
    await this.#told;
    await condition(allHandlersFinished);
    if (this.#endReason || this.#gone || this.#unused) return;
    await continueAsNew<typeof serviceVm>({
      ...this.#input,
      operationId: this.#operationId,
      carried: {
        placement: this.#placement!,
        ready: this.#ready!,
        bootId: this.#bootId,
        restarts: this.#restarts,
        readySinceMs: this.#readySinceMs,
      },
    });
  }

  /** Undoes everything, in whatever state things are, and writes down how it ended. */
  async #end(left: LeftByGuest | undefined): Promise<ServiceVmOutcome> {
    const { serviceVmId, serviceId } = this.#input;
    const failure = this.#failure;
    const reason: EndReason = this.#endReason ?? (failure ? 'start-failed' : 'asked');
    // Written first: from here on nobody joins an instance that goes away.
    await records.publishStopping({ serviceVmId, reason }).catch(leftToReconcile);
    this.#state = 'stopping';
    this.#report('stopping', ownSteps, 'Stopping');
    this.#tell('serviceVm.stopping', { serviceVmId, serviceId, hostId: this.#placement?.hostId ?? '' });
    await this.#saga.unwind();

    const outcome: ServiceVmOutcome = {
      state: failure ? 'failed' : 'stopped',
      reason,
      ...(failure ? { error: failure } : {}),
      ...(left ? { left } : {}),
    };
    await records.recordEnd({ serviceVmId, outcome }).catch(leftToReconcile);
    this.#state = outcome.state;
    this.#outcome = outcome;
    if (failure) this.#tell('serviceVm.failed', { serviceVmId, serviceId, code: failure.code, detail: failure.detail });
    else this.#tell('serviceVm.stopped', { serviceVmId, serviceId, reason });
    await this.#told;
    await condition(allHandlersFinished);
    if (failure) throw applicationFailure(failure);
    return outcome;
  }
}

/** Whoever waits is answered, even while the execution is being cancelled. */
const answered = (isAnswered: () => boolean): Promise<void> => CancellationScope.nonCancellable(() => condition(isAnswered));

/** An instance must not stay up because its end cannot be written down. */
const leftToReconcile = (error: unknown): void =>
  log.error('The end of the instance was not recorded; the host is reconciled later', { error });
