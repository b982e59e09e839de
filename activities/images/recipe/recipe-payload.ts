import { chmod, copyFile, constants, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CloudletError } from '../../../workflows/contract/errors.ts';
import type { RecipeFile, RecipeSource } from '../../../workflows/contract/image-source.ts';
import { asDiskError, runTool } from '../../run-tool.ts';
import { recipePayloadPath, type HostPaths } from '../host-paths.ts';
import { recipeFolder, recipeScript } from './recipe-script.ts';

/**
 * Packs files and commands of a recipe into the archive that its guest sees as a second disk. Only files are in it, so
 * that folders of the guest keep owner and mode.
 * @throws CloudletError `not-found` (a file of the import folder), `capacity-exhausted` (disk)
 */
export async function packRecipe(paths: HostPaths, operationId: string, recipe: RecipeSource, signal: AbortSignal): Promise<void> {
  const payload = recipePayloadPath(paths, operationId);
  const files = filesOf(recipe);
  const staging = `${payload}.files`;
  try {
    for (const file of files) await stage(paths, file, staging);
    const names = files.map(({ to }) => `${to.slice(1)}\n`).join('');
    await runTool('tar', ['-C', staging, '--owner=0', '--group=0', '--numeric-owner', '-T', '-', '-cf', payload], { input: names, signal });
  } catch (error) {
    throw asDiskError(error);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

const filesOf = (recipe: RecipeSource): readonly RecipeFile[] => [
  ...(recipe.files ?? []),
  { to: `${recipeFolder}/run`, content: recipeScript(recipe) },
  ...recipe.commands.map((command, index) => ({ to: `${recipeFolder}/command-${index + 1}`, content: `${command}\n` })),
];

async function stage(paths: HostPaths, file: RecipeFile, staging: string): Promise<void> {
  const target = join(staging, file.to);
  await mkdir(dirname(target), { recursive: true });
  if ('content' in file) await writeFile(target, file.content);
  else await copyFile(await importedFile(paths, file.from), target, constants.COPYFILE_FICLONE);
  await chmod(target, file.executable ? 0o755 : 0o644);
}

async function importedFile(paths: HostPaths, name: string): Promise<string> {
  const path = join(paths.imports, name);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw new CloudletError('not-found', `There is no file ${path} on this host. Put it into the import folder first.`);
  return path;
}
