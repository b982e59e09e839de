import { InvalidArgumentError, Option, type Command } from 'commander';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { NewService, ServiceView } from '../../workflows/contract/http.ts';
import { sourceFormats } from '../../workflows/contract/image-source.ts';
import type { ServicePort } from '../../workflows/contract/service.ts';
import type { ApiClient } from '../cli/api-client.ts';
import { say, show } from '../cli/output.ts';
import { formatTable, type Column } from '../cli/table.ts';
import { watchOperation } from '../cli/watch-operation.ts';
import { loadConfig } from '../config/load-config.ts';
import { bringSource, type SourceOptions } from './bring-source.ts';
import { addServiceBuild } from './service-build-command.ts';
import { addServiceEdit } from './service-edit-command.ts';
import { addServiceRemoval } from './service-removal-commands.ts';
import { wholeNumber } from './whole-number.ts';

const columns: readonly Column<ServiceView>[] = [
  ['service', ({ serviceId }) => serviceId],
  ['version', ({ version, imageVersion }) => (imageVersion === null ? 'being built' : `${version} (image ${imageVersion})`)],
  ['starts by', ({ startsBy }) => startsBy.join(', ')],
  ['memory', ({ memory }) => `${memory.idealMib} MiB`],
  ['ports', ({ ports }) => ports.map(({ name, protocol, guestPort }) => `${name} ${guestPort}/${protocol}`).join(', ')],
  ['description', ({ description }) => (description.length > 60 ? `${description.slice(0, 59)}…` : description)],
];

const trashedUntil: Column<ServiceView> = ['kept until', ({ trashedUntil: until = '' }) => until];

interface AddOptions extends SourceOptions {
  readonly disk?: string;
  readonly port: readonly ServicePort[];
  readonly http?: string;
  readonly memory?: number;
  readonly vcpus?: number;
  readonly description?: string;
  readonly save: boolean;
  readonly json: boolean;
}

export function addServiceCommands(service: Command, api: () => ApiClient): void {
  service
    .command('list')
    .description('services of this cloudlet')
    .option('--trashed', 'those that were removed and can be restored', false)
    .option('--json', 'as JSON', false)
    .action(async ({ trashed, ...output }: { trashed: boolean; json: boolean }) => {
      const { services } = await api().request<{ services: ServiceView[] }>('GET', `/v1/services?trashed=${trashed}`);
      show(output, services, (rows) =>
        trashed
          ? formatTable(rows, [...columns.slice(0, 2), trashedUntil], 'The trash is empty.')
          : formatTable(rows, columns, 'No services yet. The samples are built at the first start: cloudlet operation list.'),
      );
    });

  service
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
    .option(
      '--port <port...>',
      'guest port that clients reach: 8080, 7/udp, ssh=22; the first one is the main one (default: those that the container image exposes)',
      collectPorts,
      [],
    )
    .option('--id <name>', 'name of the service (default: that of the file or folder, or of the machine in an OVA)')
    .addOption(new Option('--format <format>', "format of the disk (default: the file's ending, else qcow2)").choices(sourceFormats))
    .option('--http <path>', 'it is ready when GET of this path on the first port answers (default: when the port takes a connection)')
    .option('--memory <MiB>', 'memory of the guest (default: 512; that in an OVA or pair)', wholeNumber)
    .option('--vcpus <n>', 'processors of the guest (default: 1; that in an OVA or pair)', wholeNumber)
    .option('--description <text>', 'what it is for')
    .option('--save', 'boot it once and save its ready state, so that it starts by restore', false)
    .option('--json', 'as JSON', false)
    .action((options: AddOptions) => addService(api(), options));

  addServiceBuild(service, api);
  addServiceEdit(service, api);
  addServiceRemoval(service, api);
}

async function addService(api: ApiClient, options: AddOptions): Promise<void> {
  const { port: ports, http, vcpus, description, save, container } = options;
  const [main] = ports;
  const given = container ?? options.disk;
  if (given === undefined) throw new CloudletError('invalid-input', 'Say what to make it of: --disk or --container.');
  if (!main && (container === undefined || http !== undefined)) {
    throw new CloudletError('invalid-input', 'Say which port clients reach: --port 8080.');
  }
  const brought = await bringSource(loadConfig().config.importDir, given, options);
  const serviceId = options.id ?? brought.name;
  const memoryMib = options.memory ?? (brought.saysMachine ? undefined : 512);
  const body: NewService = {
    serviceId,
    ...(main ? { ports: [...ports] } : {}),
    ...(vcpus === undefined ? {} : { vcpus }),
    ...(memoryMib === undefined ? {} : { memory: { idealMib: memoryMib, minimumMib: memoryMib } }),
    source: brought.source,
    ...(save || container !== undefined ? { save: true } : {}),
    ...(description === undefined ? {} : { description }),
    ...(main && http !== undefined ? { readiness: { kind: 'http', guestPort: main.guestPort, path: http, timeoutSeconds: 300 } } : {}),
  };
  try {
    const { operationId } = await api.request<{ operationId: string }>('POST', '/v1/services', body);
    const { result } = await watchOperation(api, operationId, options);
    const notes = (result?.['notes'] ?? []) as readonly string[];
    if (!options.json) for (const note of notes) say(note);
    if (!options.json) say(`${serviceId} is ready to be started (image ${String(result?.['version'])}): cloudlet vm start ${serviceId}`);
  } finally {
    await brought.remove();
  }
}

function collectVariables(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Write a variable like NAME=value.');
  return { ...before, [name]: value };
}

/** `8080`, `7/udp`, `ssh=22`, `dns=53/udp` */
export function parsePort(text: string): ServicePort {
  const match = /^(?:([a-z][a-z0-9-]{0,14})=)?(\d{1,5})(?:\/(tcp|udp))?$/.exec(text);
  const guestPort = Number(match?.[2]);
  if (!match || guestPort < 1 || guestPort > 65_535) {
    throw new InvalidArgumentError('Write a port like 8080, 7/udp or ssh=22.');
  }
  const protocol = match[3] === 'udp' ? 'udp' : 'tcp';
  return { name: match[1] ?? `${protocol}-${guestPort}`, protocol, guestPort };
}

export const collectPorts = (text: string, before: readonly ServicePort[]): readonly ServicePort[] => [...before, parsePort(text)];
