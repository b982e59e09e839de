import { allHandlersFinished, CancellationScope, condition, log, setCurrentDetails, setHandler, uuid4 } from '@temporalio/workflow';
import { onHost, onHostUntilDone, records } from '../activities.ts';
import type { PluginEventName, PluginEvents } from '../contract/event.ts';
import type { DescribedFailure } from '../contract/failure.ts';
import type { OperationProgress } from '../contract/operation.ts';
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
} from '../contract/service-vm.ts';
import { applicationFailure } from '../failures.ts';
import { raiseEvent } from '../raise-event.ts';
import { Saga, type Step } from '../saga.ts';
import { claim, climb, type Climb, type StartedGuest } from '../start-ladder.ts';
import { awaitReady, claimed, guestStopped, leasesChanged, progress, retire, saveEdit, stop } from './messages.ts';

/** reserve · clone · boot or restore · probe · publish */
export const ownSteps = 5;
/** Where the saga stands when nothing is undone but what the guest needs. */
const reserved = 1;

/** What one instance is, and what it was told; and the steps that every instance goes through, whatever it is for. */
export class ServiceVmLife {
  readonly input: ServiceVmInput;
  state: ServiceVmState;
  placement: Placement | undefined;
  ready: ServiceVmReady | undefined;
  /** Of the guest that runs, or is being started: news of another boot is old. */
  bootId: string;

  /** Nobody uses it, as far as we were told. */
  unused = false;
  /** What was heard of the end of its guest. */
  gone: GuestStopped | undefined;
  /** The admin who works in it wants that kept. */
  toBeSaved = false;
  /** Why the last attempt to keep it failed. */
  unsaved: DescribedFailure | undefined;
  /** Of a warm instance: the start that it was claimed for. */
  claim: ClaimedServiceVm | undefined;

  endReason: EndReason | undefined;
  failure: DescribedFailure | undefined;
  /** Plugins hear of events in their order, but nothing waits for what they do about them. */
  told: Promise<void> = Promise.resolve();

  readonly #saga = new Saga();
  /** Everything that is cut short when somebody asks to stop. */
  readonly #provisioning = new CancellationScope();
  #progress: OperationProgress;
  #outcome: ServiceVmOutcome | undefined;

  constructor(input: ServiceVmInput) {
    const { carried } = input;
    this.input = input;
    this.state = carried ? 'ready' : 'requested';
    this.placement = carried?.placement;
    this.ready = carried?.ready;
    this.bootId = carried?.bootId ?? '';
    this.#progress = this.report(this.state, 0, 'Asked for');
  }

  takeMessages(): void {
    setHandler(awaitReady, async (claim) => {
      this.claim ??= claim;
      await answered(() => this.ready !== undefined || this.failure !== undefined || this.endReason !== undefined);
      if (this.ready && this.endReason === undefined) return this.ready;
      throw applicationFailure(
        this.failure ?? { code: 'state-conflict', detail: 'The Service VM was stopped. Start it again.', facts: { state: 'stopped' } },
      );
    });
    setHandler(
      stop,
      async ({ by }) => {
        log.info('Asked to stop', { by });
        this.#cutShort('asked');
        await answered(() => this.#outcome !== undefined);
        return this.#outcome!;
      },
      { validator: (_request: StopServiceVm) => this.#refuseWhenOver() },
    );
    setHandler(
      saveEdit,
      async () => {
        this.toBeSaved = true;
        this.unsaved = undefined;
        await answered(() => !this.toBeSaved || this.#outcome !== undefined);
        const unsaved = this.unsaved ?? this.failure;
        if (unsaved) throw applicationFailure(unsaved);
      },
      { validator: () => this.#refuseUnlessEditable() },
    );
    setHandler(claimed, (claim) => {
      this.claim ??= claim;
    });
    setHandler(retire, () => this.#cutShort('retired'));
    setHandler(leasesChanged, ({ users }) => {
      this.unused = users === 0;
    });
    setHandler(guestStopped, (news) => {
      if (news.bootId === this.bootId) this.gone = news;
    });
    setHandler(progress, () => ({ state: this.state, progress: this.#progress }));
  }

  #cutShort(reason: EndReason): void {
    this.endReason ??= reason;
    this.#provisioning.cancel();
  }

  #refuseWhenOver(): void {
    if (this.#outcome === undefined) return;
    throw applicationFailure({
      code: 'state-conflict',
      detail: 'The Service VM has ended already.',
      facts: { state: this.#outcome.state },
    });
  }

  #refuseUnlessEditable(): void {
    if (this.input.purpose === 'edit' && this.state === 'ready' && this.endReason === undefined) return;
    throw applicationFailure({
      code: 'state-conflict',
      detail: 'There is nothing to save: the editing VM is not up, or ends already.',
      facts: { state: this.state },
    });
  }

  /** Says how far it is: in Temporal's UI, to whoever asks, and to the operation when an activity is given what this returns. */
  report(phase: string, step: number, message: string): OperationProgress {
    const { serviceId, within = { stepsBefore: 0, steps: ownSteps } } = this.input;
    const { operationId } = this;
    this.#progress = { operationId, phase, step: within.stepsBefore + step, steps: within.steps, message };
    const where = this.placement ? ` · host \`${this.placement.hostId}\`` : '';
    setCurrentDetails(`**${this.state}** · ${message}\n\nservice \`${serviceId}\`${where}`);
    return this.#progress;
  }

  /** The operation that its progress is told to. */
  get operationId(): string {
    const { purpose, operationId } = this.input;
    return purpose === 'warm' && this.claim ? this.claim.operationId : operationId;
  }

  /** Does what a request to stop cuts short. */
  provision<T>(work: () => Promise<T>): Promise<T> {
    return this.#provisioning.run(work);
  }

  async reserve(): Promise<void> {
    const { serviceVmId, serviceId } = this.input;
    await this.provision(async () => {
      await this.#saga.run({
        ...this.#reserveStep,
        run: async () => {
          this.placement = await records.reserve({ serviceVmId, progress: this.report('reserve', 1, 'Finding room') });
          this.state = 'provisioning';
        },
      });
      const { events, hostId, retired = [] } = this.placement!;
      if (retired.length > 0) {
        await onHost(hostId).retireWarm({ serviceVmIds: retired, progress: this.report('reserve', 1, 'Making room') });
      }
      await raiseEvent(events, 'serviceVm.provisioning', { serviceVmId, serviceId, hostId });
    });
  }

  get #reserveStep(): Step {
    return { name: 'reserve', run: async () => {}, undo: () => records.release({ serviceVmId: this.input.serviceVmId }) };
  }

  /** A run that continues as new did none of the steps itself, yet must undo all of them in the end. */
  adoptSteps({ hostId }: Placement): void {
    const { serviceVmId } = this.input;
    const undo = onHostUntilDone(hostId);
    this.#saga.adopt(this.#reserveStep);
    this.#saga.adopt({ name: 'cloneDisk', run: async () => {}, undo: () => undo.removeDisk({ serviceVmId }) });
    this.#saga.adopt({ name: 'startGuest', run: async () => {}, undo: () => undo.destroyGuest({ serviceVmId }) });
  }

  get #climb(): Climb {
    return {
      serviceVmId: this.input.serviceVmId,
      placement: this.placement!,
      nextBootId: () => {
        this.gone = undefined;
        this.bootId = uuid4();
        return this.bootId;
      },
      guestGone: () => this.gone,
      report: (phase, step, message) => this.report(phase, step, message),
    };
  }

  /** From reserved, or warm, to a guest that answers. */
  async bringUp(): Promise<StartedGuest> {
    if (this.state === 'warm') {
      this.state = 'provisioning';
      const claimedGuest = await claim(this.#climb, this.bootId);
      if (claimedGuest) return claimedGuest;
      await this.clearAway();
      // Nothing new is reserved: it answers by which rungs the instance can be started now.
      const { serviceVmId } = this.input;
      this.placement = await records.reserve({ serviceVmId, progress: this.report('reserve', 1, 'Trying the next way') });
    }
    return climb(this.#saga, this.#climb);
  }

  /** Removes what is left of its guest. Its room and its ports stay reserved. */
  clearAway(): Promise<void> {
    return this.#saga.unwindTo(reserved);
  }

  tell<Name extends PluginEventName>(event: Name, payload: PluginEvents[Name]): void {
    const events = this.placement?.events ?? [];
    this.told = this.told.then(() => CancellationScope.nonCancellable(() => raiseEvent(events, event, payload)));
  }

  /** Undoes everything, in whatever state things are, and writes down how it ended. */
  async end(left: LeftByGuest | undefined): Promise<ServiceVmOutcome> {
    const { serviceVmId, serviceId } = this.input;
    const { failure } = this;
    const reason: EndReason = this.endReason ?? (failure ? 'start-failed' : 'asked');
    // Written first: from here on nobody joins an instance that goes away.
    await records.publishStopping({ serviceVmId, reason }).catch(leftToReconcile);
    this.state = 'stopping';
    this.report('stopping', ownSteps, 'Stopping');
    this.tell('serviceVm.stopping', { serviceVmId, serviceId, hostId: this.placement?.hostId ?? '' });
    await this.#saga.unwind();

    const outcome: ServiceVmOutcome = {
      state: failure ? 'failed' : 'stopped',
      reason,
      ...(failure ? { error: failure } : {}),
      ...(left ? { left } : {}),
    };
    await records.recordEnd({ serviceVmId, outcome }).catch(leftToReconcile);
    this.state = outcome.state;
    this.#outcome = outcome;
    if (failure) this.tell('serviceVm.failed', { serviceVmId, serviceId, code: failure.code, detail: failure.detail });
    else this.tell('serviceVm.stopped', { serviceVmId, serviceId, reason });
    await this.told;
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
