import type { Reporter, TestModule } from 'vitest/node';

/** Names the tests that failed at first: a second try must not hide that something is not as steady as it should be. */
// oxlint-disable-next-line import/no-default-export -- that is how Vitest loads a reporter
export default class SecondTries implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const unsteady = modules.flatMap((module) =>
      [...module.children.allTests()]
        .filter((test) => test.diagnostic()?.flaky)
        .map((test) => `${module.relativeModuleId} > ${test.fullName}`),
    );
    if (unsteady.length > 0) process.stdout.write(`\nPassed at the second try only (find out why):\n  ${unsteady.join('\n  ')}\n\n`);
  }
}
