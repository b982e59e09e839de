import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { NewService, OperationBody } from '../../workflows/contract/http.ts';
import type { RecipeFile, RecipeSource } from '../../workflows/contract/image-source.ts';
import type { ApiClient } from '../cli/api-client.ts';
import { say } from '../cli/output.ts';
import { runOperation } from '../cli/run-operation.ts';
import { takeToImports, type TakenFile } from '../cli/take-to-imports.ts';
import { watchOperation, type WatchOptions } from '../cli/watch-operation.ts';
import { loadConfig } from '../config/load-config.ts';

export function addServiceBuild(service: Command, api: () => ApiClient): void {
  service
    .command('build')
    .description('build a service by a recipe, without a person')
    .argument(
      '<file>',
      'JSON as POST /v1/services takes it, with a source of kind "recipe"; its files and the disk of its base are named from the folder it is in',
    )
    .option('--quiet', 'show the progress alone, not what the commands write', false)
    .option('--json', 'events as JSON, one a line', false)
    .action(async (file: string, { quiet, ...output }: { quiet: boolean; json: boolean }) => {
      const client = api();
      const taken: TakenFile[] = [];
      try {
        await client.requireAdmin();
        const body = await withLocalFiles(await readRecipe(file), dirname(file), taken);
        const watch = quiet || output.json ? watchOperation : watchWithLog;
        const { result } = await runOperation(client, { method: 'POST', path: '/v1/services', body }, output, watch);
        if (!output.json) {
          const { serviceId } = body;
          say(`${serviceId} is ready to be started (image ${String(result?.['version'])}): cloudlet vm start ${serviceId}`);
        }
      } finally {
        for (const each of taken) await each.remove();
      }
    });
}

type Recipe = NewService & { readonly source: RecipeSource };

async function readRecipe(file: string): Promise<Recipe> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CloudletError('not-found', `The recipe ${file} cannot be read (${error.code}).`);
  });
  const body = parsed(file, text);
  if (body?.source?.kind !== 'recipe') {
    throw new CloudletError('invalid-input', `${file} is no recipe: its "source" is not of kind "recipe".`);
  }
  return body as Recipe;
}

function parsed(file: string, text: string): Partial<NewService> | null {
  try {
    return JSON.parse(text) as Partial<NewService> | null;
  } catch (error) {
    throw new CloudletError('invalid-input', `${file} is no JSON: ${(error as Error).message}.`);
  }
}

/** Puts the local files of a recipe where the cloudlet reads them. @param taken gets all that was put there */
async function withLocalFiles({ source, ...body }: Recipe, folder: string, taken: TakenFile[]): Promise<NewService> {
  const take = async (path: string, ending: string): Promise<string> => {
    const copy = await takeToImports(loadConfig().config.importDir, resolve(folder, path), ending);
    taken.push(copy);
    return copy.name;
  };
  const files: RecipeFile[] = [];
  for (const each of source.files ?? []) files.push('from' in each ? { ...each, from: await take(each.from, 'file') } : each);
  const { base } = source;
  // A disk that lies in the import folder already is named as it is there.
  const isLocal = base?.kind === 'disk' && existsSync(resolve(folder, base.file));
  return { ...body, source: { ...source, files, base: isLocal ? { ...base, file: await take(base.file, base.format) } : base } };
}

const lookEveryMs = 500;

async function watchWithLog(api: ApiClient, operationId: string, options: WatchOptions): Promise<OperationBody> {
  const over = new AbortController();
  const shown = showLog(api, operationId, over.signal);
  try {
    return await watchOperation(api, operationId, options);
  } finally {
    over.abort();
    await shown;
  }
}

/** Shows what the commands of a recipe write, as they write it, until all of it is over. */
async function showLog(api: ApiClient, operationId: string, over: AbortSignal): Promise<void> {
  let shownBytes = 0;
  for (let last = false; !last;) {
    await sleep(lookEveryMs, undefined, { signal: over }).catch(() => undefined);
    last = over.aborted;
    const more = await api.text(`/v1/operations/${operationId}/log?from=${shownBytes}`).catch(() => '');
    shownBytes += Buffer.byteLength(more);
    process.stdout.write(more);
  }
}
