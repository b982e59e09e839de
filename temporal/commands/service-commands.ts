import type { Command } from 'commander';
import type { ServiceView } from '../../workflows/contract/http.ts';
import type { ApiClient } from '../cli/api-client.ts';
import { show, type Output } from '../cli/output.ts';
import { formatTable, type Column } from '../cli/table.ts';
import { describeService } from './describe-service.ts';
import { addServiceAdd } from './service-add-command.ts';
import { addServiceBuild } from './service-build-command.ts';
import { addServiceEdit } from './service-edit-command.ts';
import { addServiceRemoval } from './service-removal-commands.ts';

const columns: readonly Column<ServiceView>[] = [
  ['service', ({ serviceId }) => serviceId],
  ['version', ({ version, imageVersion }) => (imageVersion === null ? 'being built' : `${version} (image ${imageVersion})`)],
  ['starts by', ({ startsBy }) => startsBy.join(', ')],
  ['memory', ({ memory }) => `${memory.idealMib} MiB`],
  ['ports', ({ ports }) => ports.map(({ name, protocol, guestPort }) => `${name} ${guestPort}/${protocol}`).join(', ')],
  ['description', ({ description }) => (description.length > 60 ? `${description.slice(0, 59)}…` : description)],
];

const trashedUntil: Column<ServiceView> = ['kept until', ({ trashedUntil: until = '' }) => until];

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
    .command('show')
    .description('all that is set of a service')
    .argument('<service>')
    .option('--json', 'as JSON', false)
    .action(async (serviceId: string, output: Output) => {
      show(output, await api().request<ServiceView>('GET', `/v1/services/${encodeURIComponent(serviceId)}`), describeService);
    });

  addServiceAdd(service, api);
  addServiceBuild(service, api);
  addServiceEdit(service, api);
  addServiceRemoval(service, api);
}
