/** Finds and imports the module of a configured plugin. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CloudletError } from '../../workflows/contract/errors.ts';

/** One entry of the configuration's plugin list. Nothing that is not listed is imported. */
export interface ConfiguredPlugin {
  /** The plugin's id; without `module` it is the folder `plugins/<name>` of this project. */
  readonly name: string;
  /** Where a third-party plugin comes from: a path (`/…`, `./…`, from the working directory) or the name of an npm package. */
  readonly module?: string;
  /** Whether the process refuses to start without it. Default: no. */
  readonly required?: boolean;
  /** Checked against the schema in the plugin's manifest. */
  readonly options?: unknown;
}

const isPath = (module: string): boolean => /^\.{0,2}\//.test(module);

function fileOf({ name, module }: ConfiguredPlugin): string | undefined {
  if (module === undefined) return fileURLToPath(new URL(`../${name}/plugin.ts`, import.meta.url));
  return isPath(module) ? resolve(module) : undefined;
}

/**
 * @returns the namespace of the plugin's module
 * @throws CloudletError invalid-input where there is no such file; otherwise what the import throws
 */
export async function importPlugin(configured: ConfiguredPlugin): Promise<unknown> {
  const file = fileOf(configured);
  if (file === undefined) return import(configured.module!);
  if (!existsSync(file)) {
    throw new CloudletError(
      'invalid-input',
      configured.module === undefined
        ? `There is no folder plugins/${configured.name} with a plugin.ts. Check the name, or say with "module" where the plugin comes from.`
        : `There is no file ${file}. Check "module".`,
    );
  }
  return import(pathToFileURL(file).href);
}
