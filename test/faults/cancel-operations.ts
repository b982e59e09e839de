import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { OperationBody } from '../../workflows/contract/http.ts';
import { adminOperations, start, type AdminOperation, type Workbench } from '../support/admin-operations.ts';
import { slowOperations } from '../support/slow-operations.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { seededRandom } from '../support/seeded-random.ts';

/** What whoever cancels an operation waits for at most. */
const cancelledWithinMs = 3_000;
const lookEveryMs = 10;

interface Cancellation {
  readonly operation: AdminOperation;
  /** When it is in this phase, or just past it. */
  readonly phase: string;
}

/** Every phase of every operation; in its last one it has as good as ended. */
const cancellationsOf = (operations: readonly AdminOperation[]): readonly Cancellation[] =>
  operations.flatMap((operation) => operation.phases.slice(0, -1).map((phase) => ({ operation, phase })));
const quickOperations = [...adminOperations, start];

export const cancelInEachPhase = (bench: () => Workbench): void => cancel(bench, cancellationsOf([...quickOperations, ...slowOperations]));

/** Each operation in one of its phases, which a seed draws. */
export function cancelOnce(bench: () => Workbench, seed: number): void {
  const random = seededRandom(seed);
  const ofEach = [...Map.groupBy(cancellationsOf(quickOperations), ({ operation }) => operation).values()];
  cancel(
    bench,
    ofEach.map((ofOne) => ofOne[Math.floor(random() * ofOne.length)]!),
  );
}

function cancel(bench: () => Workbench, drawn: readonly Cancellation[]): void {
  describe('within 3 s nothing is left', () => {
    it.each(drawn)('of $operation.name, cancelled in its phase "$phase"', async ({ operation, phase }) => {
      const prepared = await operation.prepare(bench());
      const id = await prepared.begin(randomUUID());
      const phases = operation.phases.slice(operation.phases.indexOf(phase));
      await untilIn(bench(), id, phases);
      const { ended, elapsedMs } = await cancelled(bench(), id);
      expect(elapsedMs).toBeLessThan(cancelledWithinMs);
      // It may have come to its end at that very moment.
      expect(ended.state).toMatch(/^(cancelled|succeeded)$/);
      await prepared.verify(ended);
      await prepared.takeBack();
      await expectNothingLeft(bench().cloudlet);
    });
  });
}

const look = ({ cloudlet }: Workbench, id: string): Promise<OperationBody> =>
  cloudlet.admin.request<OperationBody>('GET', `/v1/operations/${id}`);

async function untilIn(bench: Workbench, id: string, phases: readonly string[]): Promise<void> {
  for (;;) {
    const { state, progress } = await look(bench, id);
    if (state !== 'running' || phases.includes(progress?.phase ?? '')) return;
    await sleep(lookEveryMs);
  }
}

/** @returns how it ended, and how long that took from the request on */
async function cancelled(bench: Workbench, id: string): Promise<{ ended: OperationBody; elapsedMs: number }> {
  const askedAt = performance.now();
  await bench.cloudlet.admin.request('POST', `/v1/operations/${id}/cancel`).catch((error: unknown) => {
    if (!(error instanceof CloudletError && error.code === 'state-conflict')) throw error;
  });
  for (;;) {
    const ended = await look(bench, id);
    if (ended.state !== 'running') return { ended, elapsedMs: performance.now() - askedAt };
    await sleep(lookEveryMs);
  }
}
