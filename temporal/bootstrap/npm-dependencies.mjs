import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failure, Refusal, run, step } from './step.mjs';

/** Says for which lock file and machine the folder was filled. */
const stampPath = (checkoutDir) => join(checkoutDir, 'node_modules/.cloudlet-installed');
const lockPath = (checkoutDir) => join(checkoutDir, 'package-lock.json');

function expectedStamp(checkoutDir) {
  const hash = createHash('sha256')
    .update(readFileSync(lockPath(checkoutDir)))
    .digest('hex');
  return `${hash} ${process.platform}-${process.arch}\n`;
}

function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/**
 * Whether npm has installed just what the lock file says, e.g. because a person ran `npm ci`. Packages for other machines
 * may be missing.
 */
function isInstalled(checkoutDir) {
  const text = readIfThere(join(checkoutDir, 'node_modules/.package-lock.json'));
  if (text === undefined) return false;
  const installed = JSON.parse(text).packages;
  const locked = Object.entries(JSON.parse(readFileSync(lockPath(checkoutDir), 'utf8')).packages);
  return locked.every(([path, { version, link, optional }]) => {
    if (!path.startsWith('node_modules/') || link) return true;
    return installed[path] === undefined ? optional === true : installed[path].version === version;
  });
}

/** The npm that runs us, else the one on PATH. */
function npmArgv() {
  const running = process.env.npm_execpath;
  return running?.endsWith('npm-cli.js') ? [process.execPath, running] : ['npm'];
}

/** The lines that say what failed: those before them warn of other things, those after them explain npm itself. */
const firstErrors = (output) =>
  output
    .split('\n')
    .filter((line) => !line.startsWith('npm warn'))
    .slice(0, 12)
    .join('\n');

/**
 * Holds the lock file itself while it works, so that `npm start` and `npm test` do not install side by side.
 *
 * @template Result
 * @param {string} path
 * @param {() => Promise<Result>} work
 */
async function whileLocked(path, work) {
  const descriptor = openSync(path, 'r');
  try {
    spawnSync('flock', ['3'], { stdio: ['ignore', 'ignore', 'inherit', descriptor] });
    return await work();
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Fills node_modules where it is not what package-lock.json says.
 *
 * @param {string} checkoutDir
 */
export async function ensureNpmDependencies(checkoutDir) {
  const stamp = expectedStamp(checkoutDir);
  if (readIfThere(stampPath(checkoutDir)) === stamp) return;
  await whileLocked(lockPath(checkoutDir), async () => {
    if (readIfThere(stampPath(checkoutDir)) === stamp) return;
    if (!isInstalled(checkoutDir)) {
      await step('npm dependencies', async () => {
        // Not `npm ci`: it refuses a lock file made where the registry lacked packages for other machines, as a
        // mirror may. Both take the versions and hashes of the lock file; `--no-save` leaves it as it is.
        const { status, output } = await run([...npmArgv(), 'install', '--no-save', '--no-audit', '--no-fund'], { cwd: checkoutDir });
        if (status !== 0) throw failure('npm could not install the dependencies:', firstErrors(output));
      });
    }
    if (!existsSync(join(checkoutDir, 'node_modules/.bin/node'))) {
      throw new Refusal(
        'npm has not brought the Node of the project. Allow install scripts (npm config delete ignore-scripts), then run npm ci.',
      );
    }
    writeFileSync(stampPath(checkoutDir), stamp);
  });
}
