import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { NewService, OperationBody } from '../../workflows/contract/http.ts';
import type { RecipeFile } from '../../workflows/contract/image-source.ts';
import type { ApiClient } from '../cli/api-client.ts';
import { say } from '../cli/output.ts';
import { takeToImports, type TakenFile } from '../cli/take-to-imports.ts';
import { watchOperation } from '../cli/watch-operation.ts';
import { loadConfig } from '../config/load-config.ts';

export function addServiceBuild(service: Command, api: () => ApiClient): void {
  service
    .command('build')
    .description('build a service by a recipe, without a person')
    .argument('<file>', 'JSON as POST /v1/services takes it, with a source of kind "recipe"; its files are named from the folder it is in')
    .option('--quiet', 'show the progress alone, not what the commands write', false)
    .option('--json', 'events as JSON, one a line', false)
    .action(async (file: string, { quiet, ...output }: { quiet: boolean; json: boolean }) => {
      const client = api();
      const { body, taken } = await readRecipe(file);
      try {
        const { operationId } = await client.request<{ operationId: string }>('POST', '/v1/services', body);
        const { result } =
          quiet || output.json ? await watchOperation(client, operationId, output) : await watchWithLog(client, operationId);
        if (!output.json) {
          const { serviceId } = body;
          say(`${serviceId} is ready to be started (image ${String(result?.['version'])}): cloudlet vm start ${serviceId}`);
        }
      } finally {
        for (const each of taken) await each.remove();
      }
    });
}

/** @returns the recipe, its local files put where the cloudlet reads them */
async function readRecipe(file: string): Promise<{ readonly body: NewService; readonly taken: readonly TakenFile[] }> {
  const body = JSON.parse(
    await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new CloudletError('not-found', `The recipe ${file} cannot be read (${error.code}).`);
    }),
  ) as NewService;
  if (body.source?.kind !== 'recipe')
    throw new CloudletError('invalid-input', `${file} is no recipe: its "source" is not of kind "recipe".`);
  const taken: TakenFile[] = [];
  const take = async (each: RecipeFile): Promise<RecipeFile> => {
    if (!('from' in each)) return each;
    const copy = await takeToImports(loadConfig().config.importDir, resolve(dirname(file), each.from), 'file');
    taken.push(copy);
    return { ...each, from: copy.name };
  };
  const files = await Promise.all((body.source.files ?? []).map(take));
  return { body: { ...body, source: { ...body.source, files } }, taken };
}

const lookEveryMs = 500;

async function watchWithLog(api: ApiClient, operationId: string): Promise<OperationBody> {
  const over = new AbortController();
  const shown = showLog(api, operationId, over.signal);
  try {
    return await watchOperation(api, operationId, { json: false });
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
