import type { Command } from 'commander';
import type { ApiClient } from '../cli/api-client.ts';
import { say, show } from '../cli/output.ts';
import { watchOperation } from '../cli/watch-operation.ts';
import type { ServiceView } from '../../workflows/contract/http.ts';

interface RemoveOptions {
  readonly stop: boolean;
  readonly purge: boolean;
  readonly json: boolean;
}

const pathOf = (serviceId: string): string => `/v1/services/${encodeURIComponent(serviceId)}`;

/** `service remove` and `service restore`. */
export function addServiceRemoval(service: Command, api: () => ApiClient): void {
  service
    .command('remove')
    .description('put a service into the trash')
    .argument('<service>')
    .option('--stop', 'end its Service VMs, whoever uses them', false)
    .option('--purge', 'delete it for good at once, also from the trash', false)
    .option('--json', 'events as JSON, one a line', false)
    .action(async (serviceId: string, { stop, purge, json }: RemoveOptions) => {
      const client = api();
      const accepted = await client.request<{ operationId: string } | undefined>(
        'DELETE',
        `${pathOf(serviceId)}?stop=${stop}&purge=${purge}`,
      );
      if (accepted) await watchOperation(client, accepted.operationId, { json });
      if (json) say(JSON.stringify({ event: 'removed', serviceId, purged: purge }));
      else
        say(purge ? `${serviceId} is deleted.` : `${serviceId} is removed. It can be brought back: cloudlet service restore ${serviceId}`);
    });

  service
    .command('restore')
    .description('bring a service back from the trash')
    .argument('<service>')
    .option('--json', 'as JSON', false)
    .action(async (serviceId: string, output: { json: boolean }) => {
      const restored = await api().request<ServiceView>('POST', `${pathOf(serviceId)}/restore`);
      show(output, restored, () => `${serviceId} is back.`);
    });
}
