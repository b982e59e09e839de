import { InvalidArgumentError, Option, type Command } from 'commander';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { NewService } from '../../workflows/contract/http.ts';
import { sourceFormats } from '../../workflows/contract/image-source.ts';
import type { ApiClient } from '../cli/api-client.ts';
import { say } from '../cli/output.ts';
import { runOperation } from '../cli/run-operation.ts';
import { loadConfig } from '../config/load-config.ts';
import { bringSource, type SourceOptions } from './bring-source.ts';
import { editIsUp, showEdit } from './edit-image-commands.ts';
import { addSpecOptions, specChange, specOptionsOf } from './spec-options.ts';

interface AddOptions extends SourceOptions {
  readonly disk?: string;
  readonly save: boolean;
  readonly edit: boolean;
  readonly json: boolean;
}

/** `service add`: makes a service of a file. */
export function addServiceAdd(service: Command, api: () => ApiClient): void {
  const command = service
    .command('add')
    .description('make a service of a disk or a container image of your own')
    .option(
      '--disk <file>',
      `disk to boot: ${sourceFormats.join(', ')}; or a folder with name.qcow2 and name.qcow2.lqs, as pycloud keeps them`,
    )
    .addOption(
      new Option(
        '--container <file>',
        'container image to run (docker save, or an OCI layout in one tar); its ready state is saved',
      ).conflicts('disk'),
    )
    .option('--image <name>', 'which image of the archive, e.g. my/app:1.2 (needed where it holds several)')
    .option('--env <NAME=value...>', "variables set over the container image's own", collectVariables)
    .option('--command <word...>', "in place of the container image's CMD")
    .option('--id <name>', 'name of the service (default: that of the file or folder, or of the machine in an OVA)')
    .addOption(new Option('--format <format>', "format of the disk (default: the file's ending, else qcow2)").choices(sourceFormats))
    .option('--save', 'boot it once and save its ready state, so that it starts by restore', false)
    .addOption(
      new Option('--edit', 'boot it once to change it by hand; then service save').default(false).conflicts(['save', 'container']),
    );
  addSpecOptions(command)
    .option('--json', 'events as JSON, one a line', false)
    .action((options: AddOptions) => addService(api(), options));
}

async function addService(api: ApiClient, options: AddOptions): Promise<void> {
  const { save, edit, container } = options;
  const given = container ?? options.disk;
  if (given === undefined) throw new CloudletError('invalid-input', 'Say what to make it of: --disk or --container.');
  const said = specChange(specOptionsOf(options));
  if (!said.ports && container === undefined) {
    throw new CloudletError('invalid-input', 'Say which port clients reach: --port 8080.');
  }
  await api.requireAdmin();
  const { source, name, remove } = await bringSource(loadConfig().config.importDir, given, options);
  const serviceId = options.id ?? name;
  const body: NewService = {
    ...said,
    serviceId,
    source,
    ...(save || container !== undefined ? { save: true } : {}),
    ...(edit ? { edit } : {}),
  };
  try {
    const watching = edit ? { ...options, until: editIsUp } : options;
    const { result } = await runOperation(api, { method: 'POST', path: '/v1/services', body }, watching);
    if (edit) await showEdit(api, serviceId, options);
    if (edit || options.json) return;
    for (const note of (result?.['notes'] ?? []) as readonly string[]) say(note);
    say(`${serviceId} is ready to be started (image ${String(result?.['version'])}): cloudlet vm start ${serviceId}`);
  } finally {
    await remove();
  }
}

function collectVariables(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Write a variable like NAME=value.');
  return { ...before, [name]: value };
}
