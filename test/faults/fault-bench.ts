import { afterAll, afterEach, beforeAll } from 'vitest';
import { Workbench } from '../support/admin-operations.ts';
import { startTestCloudlet, type TestCloudlet } from '../support/test-cloudlet.ts';

/** One cloudlet with the echo service, for all faults of a file, one after the other. */
export function openFaultBench(): () => Workbench {
  let cloudlet: TestCloudlet | undefined;
  let bench: Workbench | undefined;

  beforeAll(async () => {
    cloudlet = await startTestCloudlet({ diskMib: 2048 });
    bench = await Workbench.open(cloudlet, await cloudlet.addEchoService());
  });
  // One that fails leaves nothing to the next.
  afterEach(async () => {
    await cloudlet?.untilReady();
    await cloudlet?.stopAll();
  });
  afterAll(() => cloudlet?.stop());

  return () => bench!;
}
