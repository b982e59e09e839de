import { afterAll, afterEach, beforeAll, describe, it } from 'vitest';
import { startTestCloudlet, type TestCloudlet } from '../support/test-cloudlet.ts';
import { faultTitle, type Fault } from './fault-matrix.ts';
import { measureUsual, surviveFault, type Usual } from './survive-fault.ts';

/** Tries faults on one cloudlet, one after the other. */
export function surviveFaults(faults: readonly Fault[]): void {
  let cloudlet: TestCloudlet;
  let echo: string;
  let usual: Usual;

  beforeAll(async () => {
    cloudlet = await startTestCloudlet();
    echo = await cloudlet.addEchoService();
    usual = await measureUsual(cloudlet, echo);
  });
  // One that fails leaves nothing to the next.
  afterEach(async () => {
    await cloudlet.untilReady();
    await cloudlet.stopAll();
  });
  afterAll(() => cloudlet?.stop());

  describe('kill -9 of', () => {
    it.each(faults.map((fault) => [faultTitle(fault), fault] as const))('%s', (_, fault) => surviveFault(cloudlet, echo, usual, fault));
  });
}
