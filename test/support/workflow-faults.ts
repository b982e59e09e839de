/** Faults planted at single activity calls of a workflow, between the worker's own interceptor and the activity. */
import type { Context } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { CloudletError, type ErrorCode } from '../../workflows/contract/errors.ts';
import { eventually } from './eventually.ts';
import { beatMs } from './workflow-host.ts';

/** One attempt of a call. */
export interface AttemptedCall {
  /** From 1. */
  readonly attempt: number;
  readonly context: Context;
  /** Runs the activity itself. */
  readonly work: () => Promise<unknown>;
}

/** Stands in for an attempt: may do the work or not, before or after something else. */
export type Fault = (call: AttemptedCall) => Promise<unknown>;

/** A call by its activity's name and how many of that name came before, e.g. `cloneDisk#2`. Attempts share one key. */
export type CallKey = `${string}#${number}`;
export const activityOf = (key: CallKey): string => key.slice(0, key.indexOf('#'));

/** The calls of one operation (a workflow, its children, and what it continues as), and what is to happen to them. */
export class FaultPlan {
  /** In the order in which they began. */
  readonly calls: CallKey[] = [];
  /** Called when a call begins for the first time. */
  onCall: ((key: CallKey, index: number) => Fault | undefined) | undefined;
  readonly #faults = new Map<CallKey, Fault>();
  readonly #keys = new Map<string, CallKey>();
  readonly #counts = new Map<string, number>();

  inject(key: CallKey, fault: Fault): this {
    this.#faults.set(key, fault);
    return this;
  }

  /** @returns once the call has begun */
  reached(key: CallKey): Promise<void> {
    return eventually(() => {
      if (!this.calls.includes(key)) throw new Error(`${key} was not called; these were: ${this.calls.join(', ')}`);
    });
  }

  faultOf({ info }: Context): Fault | undefined {
    const execution = `${info.workflowExecution?.runId}/${info.activityId}`;
    let key = this.#keys.get(execution);
    if (key === undefined) {
      const nth = 1 + (this.#counts.get(info.activityType) ?? 0);
      this.#counts.set(info.activityType, nth);
      key = `${info.activityType}#${nth}`;
      this.#keys.set(execution, key);
      const fault = this.onCall?.(key, this.calls.length);
      if (fault) this.#faults.set(key, fault);
      this.calls.push(key);
    }
    return this.#faults.get(key);
  }
}

/** The plans of all operations, by the workflow that calls. */
export class FaultPlans {
  readonly #plans = new Map<string, FaultPlan>();
  readonly #withChildren = new Set<string>();

  of(workflowId: string): FaultPlan {
    const plan = this.#plans.get(workflowId) ?? new FaultPlan();
    this.#plans.set(workflowId, plan);
    return plan;
  }

  /** Makes another workflow part of the same operation: what it calls counts as well. */
  cover(workflowId: string, partOf: string): void {
    this.#plans.set(workflowId, this.of(partOf));
  }

  /** What this workflow starts will be part of its operation. */
  coverChildrenOf(workflowId: string): void {
    this.#withChildren.add(workflowId);
  }

  /** A workflow is about to start another. */
  began(workflowId: string, by: string): void {
    if (this.#withChildren.has(by)) this.cover(workflowId, by);
  }

  /** What a former execution of this id called no longer counts. */
  forget(workflowId: string): void {
    this.#plans.delete(workflowId);
  }

  /** All workflows of an operation. */
  coveredBy(plan: FaultPlan): string[] {
    return [...this.#plans].flatMap(([workflowId, known]) => (known === plan ? [workflowId] : []));
  }

  readonly interceptor: ActivityInterceptorsFactory = (context) => ({
    inbound: {
      execute: (input, next) => {
        const work = () => next(input);
        const fault = this.of(context.info.workflowExecution?.workflowId ?? '').faultOf(context);
        return fault ? fault({ attempt: context.info.attempt, context, work }) : work();
      },
    },
  });
}

const lost = (): CloudletError => new CloudletError('store-unavailable', 'Planted: gone for a moment.');

/** It fails before it did anything; then it does its work, and nobody learns of it; then it works. */
export const failsThenLosesItsResult: Fault = async ({ attempt, work }) => {
  if (attempt === 1) throw lost();
  const result = await work();
  if (attempt === 2) throw lost();
  return result;
};

/** It never does anything. */
export const failsForGood =
  (code: ErrorCode): Fault =>
  () =>
    Promise.reject(new CloudletError(code, `Planted: ${code}.`));

/** Does nothing until it is cancelled, as a call into a hypervisor that hangs. */
export const hangs: Fault = async ({ context }) => {
  // A local activity is told of its cancellation without.
  const beat = () => context.info.isLocal || context.heartbeat();
  const timer = setInterval(beat, beatMs);
  try {
    return await context.cancelled;
  } finally {
    clearInterval(timer);
  }
};

/** Does its work, and then nothing more until it is cancelled. */
export const worksThenHangs: Fault = async (call) => {
  await call.work();
  return hangs(call);
};

/** Does something else first. */
export const after =
  (other: () => Promise<unknown>): Fault =>
  async ({ attempt, work }) => {
    if (attempt === 1) await other();
    return work();
  };
