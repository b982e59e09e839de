import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkoutDir } from '../temporal/config/load-config.ts';

/** What `npm test` does: the checks that need no machine, then every test. Arguments go to the test runner. */
const module = (path: string): string => join(checkoutDir, 'node_modules', path);
const report = join(checkoutDir, '.vitest', 'report.json');

const checks: readonly (readonly [title: string, ...argv: string[]])[] = [
  ['types', module('typescript/bin/tsc'), '-p', checkoutDir],
  ['types of the manager', module('typescript/bin/tsc'), '-p', join(checkoutDir, 'manager'), '--noEmit'],
  ['lint', module('oxlint/bin/oxlint'), '--type-aware', '--deny-warnings', checkoutDir],
  ['format', module('oxfmt/bin/oxfmt'), '--check', checkoutDir],
];

function run(argv: readonly string[], prefix: readonly string[] = []): number {
  const [command, ...rest] = [...prefix, process.execPath, ...argv];
  return spawnSync(command!, rest, { cwd: checkoutDir, stdio: 'inherit' }).status ?? 1;
}

const given = process.argv.slice(2);
const everyday = ['unit', 'integration', 'system'].flatMap((project) => ['--project', project]);
const selected = given.includes('--project') ? given : [...everyday, ...given];
rmSync(report, { force: true });
const failed = given.length > 0 ? [] : checks.filter(([, ...argv]) => run(argv) !== 0).map(([title]) => title);
const reporters = ['--reporter=default', '--reporter=json', '--reporter=./test/support/second-tries.ts', `--outputFile.json=${report}`];
// What tests mount goes with them.
const status = run([module('vitest/vitest.mjs'), 'run', ...reporters, ...selected], ['unshare', '--mount', '--']);
if (failed.length > 0) process.stderr.write(`\nNot in order: ${failed.join(', ')}\n`);
process.exitCode = status !== 0 || failed.length > 0 ? 1 : 0;
