import type { Command } from 'commander';
import type { ServiceVmBody, StartAnswer } from '../../workflows/contract/http.ts';
import { formatDuration } from '../../workflows/contract/units.ts';
import type { ApiClient } from '../cli/api-client.ts';
import { say, show, type Output } from '../cli/output.ts';
import { formatTable, type Column } from '../cli/table.ts';
import { watchOperation } from '../cli/watch-operation.ts';

const columns: readonly Column<ServiceVmBody>[] = [
  ['id', ({ id }) => id],
  ['service', ({ serviceId }) => serviceId],
  ['state', ({ state }) => state],
  [
    'address',
    ({ address, ports }) => ports.map(({ protocol, hostPort }) => `${address}:${hostPort}${protocol === 'udp' ? '/udp' : ''}`).join(' '),
  ],
  ['users', ({ users }) => String(users)],
  ['age', ({ requestedAt }) => formatDuration(Date.now() - Date.parse(requestedAt))],
  ['started by', ({ rung }) => rung ?? ''],
];

const rungPhrases: Readonly<Record<StartAnswer['rung'], string>> = {
  join: 'Joins one that runs',
  claim: 'Takes one that waited warm',
  restore: 'Restores the saved state',
  'cold-boot': 'Boots',
};

const describeStart = ({ rung, expectedReadyAt }: StartAnswer): string => {
  const leftMs = expectedReadyAt === null ? 0 : Date.parse(expectedReadyAt) - Date.now();
  return `${rungPhrases[rung]}${leftMs > 0 ? `; usually ready in ${formatDuration(leftMs)}` : ''}.`;
};

const pathOf = (id: string): string => `/v1/service-vms/${encodeURIComponent(id)}`;

export function addServiceVmCommands(vm: Command, api: () => ApiClient): void {
  vm.command('list')
    .description('Service VMs that run')
    .option('--all', 'those that have ended, too', false)
    .option('--json', 'as JSON', false)
    .action(async ({ all, json }: { all: boolean; json: boolean }) => {
      const { serviceVms } = await api().request<{ serviceVms: ServiceVmBody[] }>('GET', `/v1/service-vms?state=${all ? 'all' : 'live'}`);
      show({ json }, serviceVms, (rows) => formatTable(rows, columns, 'No Service VM runs.'));
    });

  vm.command('start')
    .description('start a Service VM, or use one that runs')
    .argument('<service>')
    .option('--own', 'one that nobody else uses', false)
    .option('--json', 'as JSON', false)
    .action(async (serviceId: string, { own, json }: { own: boolean; json: boolean }) => {
      const client = api();
      const started = await client.request<StartAnswer>('POST', '/v1/service-vms', {
        serviceId,
        join: !own,
      });
      if (!json) say(describeStart(started));
      if (started.serviceVm.state !== 'ready') await watchOperation(client, started.operationId, { json, quiet: json });
      const serviceVm = await client.request<ServiceVmBody>('GET', `/v1/service-vms/${started.serviceVm.id}`);
      show({ json }, serviceVm, (row) => formatTable([row], columns, ''));
    });

  vm.command('stop')
    .description('end a Service VM, whoever uses it')
    .argument('<id...>')
    .option('--json', 'events as JSON, one a line', false)
    .action(async (ids: string[], output: Output) => {
      const client = api();
      for (const id of ids) {
        const { operationId } = await client.request<{ operationId: string }>('POST', `${pathOf(id)}/stop`);
        await watchOperation(client, operationId, output);
        if (!output.json) say(`${id} has ended.`);
      }
    });

  vm.command('logs')
    .description('what the guest wrote to its serial console')
    .argument('<id>')
    .action(async (id: string) => {
      process.stdout.write(await api().text(`${pathOf(id)}/log`));
    });
}
