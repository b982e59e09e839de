import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, readdir, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CloudletError } from '../../../workflows/contract/errors.ts';
import type { AssembleContext } from '../../../workflows/contract/catalogue.ts';
import { packageClosure, parseDependencies, unknownPackage } from './package-closure.ts';
import { parsePackageRecords, type PackageRecord } from './package-records.ts';
import { runTool } from './run-tool.ts';

/** A verified package file on this host. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly path: string;
}

export interface PackageSelection {
  readonly roots: readonly string[];
  /** Packages that are not wanted, with what only they need. */
  readonly omitted: readonly string[];
}

/** What is installed on the host must not sway the choice, and apt's own caches stay as they are. */
const ownView = ['-o', 'Dir::State::status=/dev/null', '-o', 'Dir::Cache::pkgcache=', '-o', 'Dir::Cache::srcpkgcache='];
/** apt's own user cannot write where we download to; that is no news worth a warning that hides the true error. */
const asOurselves = ['-o', 'APT::Sandbox::User=root'];
const dependsOnly = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map((relation) => `--no-${relation}`);

/**
 * Finds the selected packages and all that they depend on, downloads those that the cache lacks, and checks each against
 * the SHA-256 of Debian's signed lists.
 * @throws CloudletError when the package lists are missing or stale, or the download fails
 */
export async function debianPackages(selection: PackageSelection, context: AssembleContext): Promise<readonly DebianPackage[]> {
  context.progress(0, 'Reading the package lists');
  const records = await selectRecords(selection, context.signal);
  const directory = path.join(context.cacheDirectory, 'debian-packages');
  await mkdir(directory, { recursive: true });
  const missing = await missingRecords(records, directory);
  if (missing.length > 0) await download(missing, directory, context);
  return records.map(({ name, version, fileName }) => ({ name, version, path: path.join(directory, fileName) }));
}

async function selectRecords({ roots, omitted }: PackageSelection, signal: AbortSignal): Promise<readonly PackageRecord[]> {
  const listing = await askLists([...ownView, 'depends', '--recurse', ...dependsOnly, ...roots], roots, signal);
  const names = packageClosure(parseDependencies(listing), roots, new Set(omitted));
  const stanzas = await askLists([...ownView, 'show', '--no-all-versions', ...names], names, signal);
  const records = new Map(parsePackageRecords(stanzas).map((record) => [record.name, record]));
  return names.map((name) => {
    const record = records.get(name);
    if (!record) throw unknownPackage(name);
    return record;
  });
}

async function askLists(args: readonly string[], names: readonly string[], signal: AbortSignal): Promise<string> {
  try {
    return await runTool('apt-cache', args, signal);
  } catch (error) {
    const unknown = error instanceof CloudletError && /No packages found|Unable to locate package/.test(error.message);
    throw unknown ? unknownPackage(/Unable to locate package (\S+)/.exec(error.message)?.[1] ?? names.join(', ')) : error;
  }
}

async function missingRecords(records: readonly PackageRecord[], directory: string): Promise<readonly PackageRecord[]> {
  const present = await Promise.all(records.map((record) => isIntact(record, path.join(directory, record.fileName))));
  return records.filter((_, index) => !present[index]);
}

async function isIntact(record: PackageRecord, file: string): Promise<boolean> {
  try {
    return (await stat(file)).size === record.sizeBytes && (await sha256Of(file)) === record.sha256;
  } catch {
    return false;
  }
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

async function download(records: readonly PackageRecord[], directory: string, context: AssembleContext): Promise<void> {
  const workingDirectory = path.join(context.workDirectory, 'download');
  await mkdir(workingDirectory, { recursive: true });
  const mebibytes = (records.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / 2 ** 20).toFixed(1);
  context.log.info({ packages: records.length, mebibytes }, 'downloading Debian packages');
  let started = 0;
  const onLine = (line: string): void => {
    if (!line.startsWith('Get:')) return;
    started = Math.min(started + 1, records.length);
    context.progress(
      (100 * started) / records.length,
      `Downloading Debian packages (${started} of ${records.length}, ${mebibytes} MiB in all)`,
    );
  };
  const wanted = records.map(({ name, version }) => `${name}=${version}`);
  try {
    await runTool('apt-get', [...ownView, ...asOurselves, 'download', ...wanted], context.signal, { workingDirectory, onLine });
  } catch (error) {
    if (!(error instanceof CloudletError) || error.code !== 'image-unavailable') throw error;
    throw new CloudletError(
      'transfer-interrupted',
      `The Debian packages could not be downloaded. Is this host online? If its package lists are old, run "apt-get update" as root. ${error.message}`,
      {},
      { cause: error },
    );
  }
  await keepDownloads(records, workingDirectory, directory);
}

/** Moves the files in by their content, since apt-get writes versions into file names in a way of its own. */
async function keepDownloads(records: readonly PackageRecord[], from: string, to: string): Promise<void> {
  const fileOfHash = new Map<string, string>();
  for (const name of await readdir(from)) fileOfHash.set(await sha256Of(path.join(from, name)), path.join(from, name));
  for (const record of records) {
    const file = fileOfHash.get(record.sha256);
    if (!file)
      throw new CloudletError(
        'checksum-mismatch',
        `The downloaded Debian package ${record.fileName} is not what the package lists promise. Run "apt-get update" as root and try again.`,
      );
    const target = path.join(to, record.fileName);
    await copyFile(file, `${target}.part`);
    await rename(`${target}.part`, target);
  }
}
