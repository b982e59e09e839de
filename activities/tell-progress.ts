import type { OperationProgress } from '../workflows/contract/operation.ts';
import { recordProgress } from './store/operations.ts';
import type { Store } from './store/store.ts';

const tellEveryMs = 500;

export type TellProgress = (percent: number, message: string, bytes?: { readonly bytesDone: number; readonly bytesTotal: number }) => void;

/**
 * Tells how far a step is: in the heartbeat at once, to those who watch the operation now and then.
 * @param reported how far the operation was when the step began; nobody watches where there is none
 */
export function tellProgress(store: Store, reported: OperationProgress | undefined, heartbeat: (details: unknown) => void): TellProgress {
  let toldAtMs = 0;
  return (percent, message, bytes) => {
    heartbeat({ percent, message, ...bytes });
    const nowMs = performance.now();
    if (!reported || nowMs - toldAtMs < tellEveryMs) return;
    toldAtMs = nowMs;
    // Watching must not fail the work; the next report says it all again.
    recordProgress(store, reported.operationId, { ...reported, message, percent, ...bytes }).catch(() => undefined);
  };
}
