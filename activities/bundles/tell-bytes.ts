import type { OperationProgress } from '../../workflows/contract/operation.ts';
import { recordProgress } from '../store/operations.ts';
import type { Store } from '../store/store.ts';

const tellEveryMs = 500;

/** Tells how many bytes are done: in the heartbeat at once, to those who watch the operation now and then. */
export function tellBytes(store: Store, reported: OperationProgress | undefined, heartbeat: (details: unknown) => void) {
  let toldAtMs = 0;
  return (bytesDone: number, bytesTotal: number): void => {
    const percent = bytesTotal === 0 ? 100 : Math.min(100, Math.round((bytesDone / bytesTotal) * 1000) / 10);
    heartbeat({ percent, bytesDone, bytesTotal });
    const nowMs = performance.now();
    if (!reported || nowMs - toldAtMs < tellEveryMs) return;
    toldAtMs = nowMs;
    // Watching must not fail the work; the next report says it all again.
    recordProgress(store, reported.operationId, { ...reported, percent, bytesDone, bytesTotal }).catch(() => undefined);
  };
}
