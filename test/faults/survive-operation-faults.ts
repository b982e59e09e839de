import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { OperationBody } from '../../workflows/contract/http.ts';
import { adminOperations, type PreparedOperation, type Workbench } from '../support/admin-operations.ts';
import { eventually } from '../support/eventually.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { victims } from './fault-matrix.ts';

/** Within what time of the common beginning everything is killed, ms. */
const killsWithinMs = 3_000;

/**
 * Kills each part in the middle of each operation, at moments that a seed draws. The operation goes on by itself, or
 * ends with an error that says why; in the end nothing is left.
 * @param points how many moments of each operation
 */
export function surviveEachFault(bench: () => Workbench, seed: number, points: number): void {
  const random = seededRandom(seed);
  const drawn = adminOperations.map((operation) => ({
    operation,
    faults: Array.from({ length: points }, (_, point) => ({
      victim: victims[point % victims.length]!,
      percent: Math.floor(100 * random()),
    })),
  }));

  describe.each(drawn)('$operation.name', ({ operation, faults }) => {
    let usualMs: number;
    beforeAll(async () => {
      const prepared = await operation.prepare(bench());
      const beganAt = performance.now();
      const id = await prepared.begin(randomUUID());
      await bench().ended(id, prepared.look);
      usualMs = performance.now() - beganAt;
      await finish(bench(), prepared, id);
    });

    it.each(faults)('survives kill -9 of $victim at $percent % of its time', async ({ victim, percent }) => {
      const prepared = await operation.prepare(bench());
      const asked = prepared.begin(randomUUID());
      asked.catch(() => undefined);
      await sleep((percent / 100) * usualMs);
      bench().cloudlet.kill(victim);
      await finish(bench(), prepared, await asked);
      await expectNothingLeft(bench().cloudlet);
    });
  });
}

/** All operations at the same time, while every part is killed once: what the whole matrix tries one by one. */
export function surviveAllFaults(bench: () => Workbench, seed: number): void {
  it('all operations of an admin at once survive kill -9 of every part', async () => {
    const random = seededRandom(seed);
    const prepared = await Promise.all(adminOperations.map((operation) => operation.prepare(bench())));
    const ids = prepared.map(({ begin }) => begin(randomUUID()));
    for (const id of ids) id.catch(() => undefined);
    await Promise.all(
      victims.map(async (victim) => {
        await sleep(random() * killsWithinMs);
        // The worker and the API are away for a moment when another part of theirs was killed before.
        await eventually(() => bench().cloudlet.kill(victim));
      }),
    );
    const outcomes = await Promise.all(prepared.map(async (each, index) => finish(bench(), each, await ids[index]!)));
    expect(outcomes.map(({ state }) => state)).not.toContain('cancelled');
    await expectNothingLeft(bench().cloudlet);
  });
}

/** Waits for the outcome, which must be one for people, and takes everything back. */
async function finish(bench: Workbench, { look, verify, takeBack }: PreparedOperation, id: string): Promise<OperationBody> {
  const ended = await bench.ended(id, look);
  expect(ended.problem?.code ?? 'none').not.toMatch(/^(internal|cancelled)$/);
  await verify(ended);
  await takeBack();
  return ended;
}
