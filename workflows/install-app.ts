import { CancellationScope, isCancellation, log, setCurrentDetails } from '@temporalio/workflow';
import { apps, appsUntilDone, records } from './activities.ts';
import type { InstallInput, InstallOutcome, PreparedApp } from './contract/app.ts';
import { describeFailure } from './contract/failure.ts';
import type { OperationProgress } from './contract/operation.ts';
import { applicationFailure } from './failures.ts';
import { raiseEvent } from './raise-event.ts';
import { Saga } from './saga.ts';

/** prepare · publish */
const steps = 2;

/**
 * Makes an upload an app that phones find, or the new file of one. Until all of it is done they see what was there
 * before; who downloads that gets all of it.
 */
export async function installApp(input: InstallInput): Promise<InstallOutcome> {
  const { operationId, appId } = input;
  const saga = new Saga();
  const report = (phase: string, step: number, message: string): OperationProgress => {
    setCurrentDetails(`${message}\n\napp \`${appId}\``);
    return { operationId, phase, step, steps, message };
  };
  let outcome: InstallOutcome;
  try {
    let prepared: PreparedApp | undefined;
    await saga.run({
      name: 'prepareApp',
      run: async () => {
        prepared = await apps.prepareApp({ ...input, progress: report('prepare', 1, 'Looking through the file') });
      },
      undo: () => appsUntilDone.discardApp({ operationId }),
    });
    outcome = await records.publishApp({ ...input, prepared: prepared!, progress: report('publish', 2, 'Publishing') });
  } catch (error) {
    const failure = isCancellation(error)
      ? ({ code: 'cancelled', detail: 'The install of the app was cancelled.', facts: {} } as const)
      : describeFailure(error);
    await saga.unwind();
    await CancellationScope.nonCancellable(() => records.recordFailure({ operationId, failure })).catch(leftToReconcile);
    throw isCancellation(error) ? error : applicationFailure(failure);
  }
  // Phones see it: nothing can fail or cancel the install any more.
  await CancellationScope.nonCancellable(async () => {
    for (const install of [operationId, outcome.replaced]) {
      if (install !== null) await appsUntilDone.discardApp({ operationId: install }).catch(leftToReconcile);
    }
    await raiseEvent(['app.published'], 'app.published', { appId, name: outcome.name });
  });
  return outcome;
}

const leftToReconcile = (error: unknown): void => log.error('An install left something behind; the host is reconciled later', { error });
