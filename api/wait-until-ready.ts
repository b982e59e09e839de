import type { Admission } from '../activities/store/admission.ts';
import type { ApiContext } from './context.ts';
import { settledWithin } from './settled-within.ts';

/** A refusal for lack of room comes within this time, and is then the answer itself. */
const refusalMs = 300;

/**
 * Sees to it that an admitted start is under way, and waits a while for its outcome.
 * @param waitMs how long the client would like to wait at most
 * @throws CloudletError what the start failed of within that time
 */
export async function waitUntilReady(context: ApiContext, admission: Admission, waitMs: number): Promise<void> {
  const { ready } = await context.starter.begin(admission);
  await settledWithin(ready, Math.max(waitMs, refusalMs));
}
