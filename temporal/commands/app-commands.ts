import type { Command } from 'commander';
import type { ApiClient } from '../cli/api-client.ts';
import { say, show, type Output } from '../cli/output.ts';
import { runOperation, type OperationRequest } from '../cli/run-operation.ts';
import { formatTable } from '../cli/table.ts';
import { uploadFile } from '../cli/upload-file.ts';
import type { AppBody, AppChange } from '../../workflows/contract/app.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { formatBytes } from '../../workflows/contract/units.ts';

interface AddOptions {
  readonly name?: string;
  readonly description?: string;
  readonly service?: string;
  readonly tag: readonly string[];
  readonly replace?: string;
  readonly json: boolean;
}

/** `app add`, `app list` and `app remove`. */
export function addAppCommands(app: Command, api: () => ApiClient): void {
  app
    .command('add')
    .description('upload an APK, or any other file, as an app that phones can download')
    .argument('<file>')
    .option('--name <name>', 'as phones list it; default: what the file says')
    .option('--description <text>')
    .option('--service <service>', 'the service that it is a client of')
    .option('--tag <tag>', 'what phones search by (again for more)', (tag: string, before: readonly string[]) => [...before, tag], [])
    .option('--replace <app>', 'name or id of the app whose file it replaces')
    .option('--json', 'events as JSON, one a line', false)
    .action(async (file: string, { name, description, service, tag, replace, json }: AddOptions) => {
      const client = api();
      const replaced = replace === undefined ? undefined : await requireApp(client, replace);
      const uploadId = await uploadFile(client, file, { json });
      const said: AppChange = {
        ...(name === undefined ? {} : { name }),
        ...(description === undefined ? {} : { description }),
        ...(service === undefined ? {} : { serviceId: service }),
        ...(tag.length === 0 ? {} : { tags: [...tag] }),
      };
      const request: OperationRequest = replaced
        ? { method: 'PUT', path: `/v1/apps/${replaced.id}/file`, body: { uploadId } }
        : { method: 'POST', path: '/v1/apps', body: { uploadId, ...said } };
      const { result } = await runOperation(client, request, { json });
      if (replaced && Object.keys(said).length > 0) await client.request('PATCH', `/v1/apps/${replaced.id}`, said);
      if (!json) say(`Phones can download ${String(result?.['name'])}.`);
    });

  app
    .command('list')
    .description('apps that phones can download')
    .option('--json', 'as JSON', false)
    .action(async (output: { json: boolean }) => {
      const apps = await listApps(api());
      show(output, apps, () =>
        formatTable(
          apps,
          [
            ['name', ({ name }) => name],
            ['version', ({ appVersion }) => appVersion ?? ''],
            ['android', ({ minAndroidVersion }) => minAndroidVersion ?? ''],
            ['service', ({ serviceId }) => serviceId ?? ''],
            ['size', ({ sizeBytes }) => formatBytes(sizeBytes)],
            ['id', ({ id }) => id],
          ],
          'There are no apps yet. Add one: cloudlet app add FILE.apk',
        ),
      );
    });

  app
    .command('remove')
    .description('remove an app')
    .argument('<app>', 'its name or id')
    .option('--json', 'as JSON', false)
    .action(async (nameOrId: string, output: Output) => {
      const client = api();
      const { id, name } = await requireApp(client, nameOrId);
      await client.request('DELETE', `/v1/apps/${id}`);
      show(output, { removed: id }, () => `${name} is removed.`);
    });
}

const listApps = async (client: ApiClient): Promise<readonly AppBody[]> =>
  (await client.request<{ apps: readonly AppBody[] }>('GET', '/v1/apps')).apps;

async function requireApp(client: ApiClient, nameOrId: string): Promise<AppBody> {
  const found = (await listApps(client)).find(({ id, name }) => id === nameOrId || name === nameOrId);
  if (!found) throw new CloudletError('not-found', `There is no app "${nameOrId}". cloudlet app list shows those there are.`);
  return found;
}
