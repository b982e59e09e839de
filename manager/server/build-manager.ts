import { spawn } from 'node:child_process';
import { cp, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { hashSources } from './hash-sources.ts';
import { whileLocked } from './while-locked.ts';

export interface BuildOptions {
  /** Root of the repository, with its packages installed. */
  readonly checkoutDir: string;
  /** What a program needs to know of its surroundings, e.g. `PATH` and `HOME`. */
  readonly environment: Readonly<Record<string, string>>;
  /** Gets what the build prints, as it comes. */
  readonly log: (text: string) => void;
  /** Ends a build that is no longer wanted. */
  readonly signal?: AbortSignal;
}

export interface ManagerBuild {
  /** Folder that holds `server.js`; together with its parent it may be copied elsewhere. */
  readonly dir: string;
  /** False when it was there already. */
  readonly built: boolean;
}

/** Some before the newest are kept: a manager that runs still reads its own. */
const keptBuilds = 3;

/**
 * Makes the manager ready to be run. When the sources are those of an earlier build, reading them is all it does. A
 * build never touches an earlier one; of two processes that want the same one, the second waits for the first.
 * @throws Error with the end of what the build printed
 */
export async function buildManager(options: BuildOptions): Promise<ManagerBuild> {
  const managerDir = join(options.checkoutDir, 'manager');
  const builds = join(managerDir, 'dist');
  const target = join(builds, await hashSources(options.checkoutDir));
  const dir = join(target, 'manager');
  if (await isThere(target)) return { dir, built: false };
  const built = await whileLocked(join(managerDir, 'package.json'), async () => {
    if (await isThere(target)) return false;
    await runNextBuild(options);
    const standalone = join(managerDir, '.next/standalone');
    // Next leaves them out, for those who serve them from elsewhere.
    await cp(join(managerDir, '.next/static'), join(standalone, 'manager/.next/static'), { recursive: true });
    await mkdir(builds, { recursive: true });
    await removeOldBuilds(builds);
    await utimes(standalone, new Date(), new Date());
    await rename(standalone, target);
    return true;
  });
  return { dir, built };
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function runNextBuild({ checkoutDir, environment, log, signal }: BuildOptions): Promise<void> {
  const next = join(checkoutDir, 'node_modules/next/dist/bin/next');
  const child = spawn(process.execPath, [next, 'build', 'manager'], {
    cwd: checkoutDir,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environment, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' },
    ...(signal && { signal }),
  });
  let lastWords = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-4_000);
      log(text);
    });
  }
  const status = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (status !== 0) throw new Error(`The manager could not be built:\n${lastWords.trimEnd()}`);
}

/** Leaves room for one more. */
async function removeOldBuilds(builds: string): Promise<void> {
  const entries = await Promise.all(
    (await readdir(builds)).map(async (name) => ({ path: join(builds, name), at: (await stat(join(builds, name))).mtimeMs })),
  );
  const old = entries.toSorted((one, other) => other.at - one.at).slice(keptBuilds - 1);
  await Promise.all(old.map(({ path }) => rm(path, { recursive: true, force: true })));
}
