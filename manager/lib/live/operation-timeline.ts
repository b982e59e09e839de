import type { OperationState, Progress } from '../../../workflows/contract/operation.ts';

/** One entry of an operation's own event stream. */
export type TimelineMessage =
  | { readonly kind: 'progress'; readonly at: string; readonly progress: Progress }
  | { readonly kind: 'ended'; readonly at: string; readonly state: Exclude<OperationState, 'running'> };

/** A step of an operation, from when it began to when the next one did. */
export interface TimelineStep {
  readonly phase: string;
  readonly step: number;
  /** The last thing that it said. */
  readonly message: string;
  readonly startedAt: string;
  /** Null while it is under way. */
  readonly endedAt: string | null;
}

/**
 * What an operation has gone through, step by step. A step that is gone back to, because the way tried first did not
 * work, shows again.
 * @param messages in the order in which they happened
 */
export function timelineOf(messages: readonly TimelineMessage[]): readonly TimelineStep[] {
  const steps: TimelineStep[] = [];
  for (const message of messages) {
    const last = steps.at(-1);
    if (message.kind === 'ended') {
      if (last) steps[steps.length - 1] = { ...last, endedAt: last.endedAt ?? message.at };
      continue;
    }
    const { phase, step, message: text } = message.progress;
    if (last?.phase === phase && last.step === step) {
      steps[steps.length - 1] = { ...last, message: text };
      continue;
    }
    if (last) steps[steps.length - 1] = { ...last, endedAt: message.at };
    steps.push({ phase, step, message: text, startedAt: message.at, endedAt: null });
  }
  return steps;
}
