import { CancellationScope, log } from '@temporalio/workflow';

/** One step of an operation. Its undo must be right whether the step ran, ran twice, or never ran. */
export interface Step {
  readonly name: string;
  run(): Promise<void>;
  undo?(): Promise<void>;
}

/**
 * Steps that are undone together. The undo is registered before its step runs, since a step that fails may have done
 * half of its work; undos run in reverse, cannot be cancelled, and one that fails does not stop the others.
 */
export class Saga {
  readonly #done: Step[] = [];

  async run(step: Step): Promise<void> {
    this.#done.push(step);
    await step.run();
  }

  /** Where the saga stands, for `unwindTo`. */
  mark(): number {
    return this.#done.length;
  }

  /** Takes over a step that a former run of the workflow did. */
  adopt(step: Step): void {
    this.#done.push(step);
  }

  async unwindTo(mark: number): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      while (this.#done.length > mark) {
        const step = this.#done.pop()!;
        try {
          await step.undo?.();
        } catch (error) {
          log.error('An undo failed; the host is reconciled later', { step: step.name, error });
        }
      }
    });
  }

  unwind(): Promise<void> {
    return this.unwindTo(0);
  }
}
