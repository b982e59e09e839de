#!/usr/bin/env node
// Runs on the Node of the distribution, before anything is installed: brings Debian's packages and npm's, then hands over
// to the project's own Node.
//
//   node temporal/bootstrap.mjs [--with=test] [--run=FILE] [--skip-packages] [--skip-npm] [arguments of FILE]
//
// FILE is temporal/main.ts, the `cloudlet` command, unless said otherwise. What is there already costs 0.1 s and no output.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDebianPackages } from './bootstrap/debian-packages.mjs';
import { ensureNpmDependencies } from './bootstrap/npm-dependencies.mjs';
import { asRoot } from './bootstrap/as-root.mjs';
import { Refusal } from './bootstrap/step.mjs';

const checkoutDir = dirname(dirname(fileURLToPath(import.meta.url)));
const oldestNode = 18;

/**
 * Our own flags come first; the first argument that is none of them begins those of the program.
 *
 * @param {string[]} argv
 */
function parseArguments(argv) {
  const options = { groups: ['start'], run: join(checkoutDir, 'temporal/main.ts'), packages: true, npm: true };
  let index = 0;
  for (; index < argv.length; index += 1) {
    const argument = argv[index];
    if (argument === '--skip-packages') options.packages = false;
    else if (argument === '--skip-npm') options.npm = false;
    else if (argument.startsWith('--with=')) options.groups.push(argument.slice('--with='.length));
    else if (argument.startsWith('--run=')) options.run = join(checkoutDir, argument.slice('--run='.length));
    else break;
  }
  return { ...options, rest: argv.slice(index) };
}

/**
 * Runs a program as if it were us: same terminal, signals passed on, same exit status. It ends in order when we are killed.
 *
 * @param {string[]} argv
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<number>} its exit status
 */
function become(argv, environment) {
  const [file, ...rest] = argv;
  const child = spawn(file, rest, { stdio: 'inherit', env: environment });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal === null ? code : 128 + constants.signals[signal]));
  });
}

async function main() {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < oldestNode)
    throw new Refusal(`Node ${process.versions.node} is too old to begin with; take Node ${oldestNode} or newer, as Debian 12 has it.`);
  const { groups, run, packages, npm, rest } = parseArguments(process.argv.slice(2));
  if (packages) await ensureDebianPackages(groups);
  if (npm) await ensureNpmDependencies(checkoutDir);
  const node = join(checkoutDir, 'node_modules/.bin/node');
  const environment = { NODE_COMPILE_CACHE: join(checkoutDir, 'node_modules/.cache/node'), ...process.env };
  return become(asRoot(['setpriv', '--pdeathsig', 'TERM', '--', node, run, ...rest], environment), environment);
}

main().then(
  (status) => (process.exitCode = status),
  (error) => {
    process.stderr.write(`${error instanceof Refusal ? error.message : error.stack}\n`);
    process.exitCode = 1;
  },
);
