import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { type ConfigFile, type ResolvedConfig, resolveConfig } from './resolve-config.ts';
import { settings } from './settings.ts';

/** Folder of this checkout: where `package.json` is. */
export const checkoutDir = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

export const configFileName = 'cloudlet.json';

export interface LoadOptions {
  /** Default: the environment of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly workingDir?: string;
  readonly checkoutDir?: string;
}

/** @returns undefined where there is no such file */
function readIfThere(path: string): ConfigFile | undefined {
  try {
    return { path, text: readFileSync(path, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CloudletError(
      'invalid-input',
      `The configuration ${path} cannot be read: ${(error as Error).message}.`,
      {},
      { cause: error },
    );
  }
}

function listNetworkAdapters(): string[] {
  try {
    return readdirSync('/sys/class/net');
  } catch {
    return [];
  }
}

/**
 * Reads this cloudlet's configuration: the file that `CLOUDLET_CONFIG` names, else `cloudlet.json` in the data
 * directory, else in the checkout; over it the environment.
 *
 * @throws CloudletError `invalid-input` with one sentence per wrong value
 */
export function loadConfig(options: LoadOptions = {}): ResolvedConfig {
  const environment = options.environment ?? process.env;
  const workingDir = options.workingDir ?? process.cwd();
  const checkout = options.checkoutDir ?? checkoutDir;
  const named = environment['CLOUDLET_CONFIG'];
  const dataDir = environment[settings.dataDir.env];
  const dataDirFile = join(dataDir ? resolve(workingDir, dataDir) : join(checkout, settings.dataDir.fallback), configFileName);
  const file = named ? readIfThere(resolve(workingDir, named)) : (readIfThere(dataDirFile) ?? readIfThere(join(checkout, configFileName)));
  if (named && !file)
    throw new CloudletError('invalid-input', `CLOUDLET_CONFIG is "${named}", but there is no such file; allowed: the path of a JSON file.`);
  return resolveConfig({ environment, ...(file && { file }), workingDir, checkoutDir: checkout, networkAdapters: listNetworkAdapters() });
}
