import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakePlugin } from '../../plugins/runtime/test-support/fake-plugins.ts';
import { openWorkflowLab, type WorkflowLab } from './workflow-lab.ts';
import { failsCleanlyAtEachCall, repeatsEachCall, unwindsUnderFaults, type Operation } from './workflow-laws.ts';

const laws = [
  { law: 'may fail and run twice at each call', complaintsOf: repeatsEachCall },
  { law: 'fails cleanly at each call', complaintsOf: failsCleanlyAtEachCall },
  { law: 'is undone although undos fail and run twice', complaintsOf: unwindsUnderFaults },
] as const;

/**
 * Holds each operation to the three laws: a new one needs a line in one of `test/workflows/three-laws-of-*`.
 * @param options.concurrent only for operations that leave nothing to a reconciliation: that would find the others under way
 */
export function holdToLaws(operations: readonly Operation[], { concurrent = false } = {}): void {
  let lab: WorkflowLab;

  beforeAll(async () => {
    const listener = fakePlugin('listener', (registry) => {
      registry.on('serviceVm.ready', async () => undefined);
      registry.on('service.published', async () => undefined);
      registry.on('app.published', async () => undefined);
    });
    lab = await openWorkflowLab({ plugins: [listener] });
  });
  afterAll(() => lab?.close());

  (concurrent ? describe.concurrent : describe).each(operations)('$name', (operation) => {
    it.each(laws)('$law', async ({ complaintsOf }) => expect(await complaintsOf(lab, operation)).toEqual([]));
  });
}
