import { afterAll, afterEach, beforeAll, describe, it } from 'vitest';
import { faultTitle, sampleOf } from '../faults/fault-matrix.ts';
import { measureUsual, surviveFault, type Usual } from '../faults/survive-fault.ts';
import { startTestCloudlet, type TestCloudlet } from '../support/test-cloudlet.ts';

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

// `npm run test:faults` runs the whole matrix.
describe('kill -9 of', () => {
  it.each(sampleOf(20_261_122).map((fault) => [faultTitle(fault), fault] as const))('%s', (_, fault) =>
    surviveFault(cloudlet, echo, usual, fault),
  );
});
