import type { Command } from 'commander';
import type { ServiceEditBody } from '../../workflows/contract/http.ts';
import type { ApiClient } from '../cli/api-client.ts';
import { atTerminal } from '../cli/at-terminal.ts';
import { say, show, type Output } from '../cli/output.ts';
import { runOperation } from '../cli/run-operation.ts';
import { watchOperation } from '../cli/watch-operation.ts';
import { wholeNumber } from './whole-number.ts';

const editPath = (serviceId: string): string => `/v1/services/${encodeURIComponent(serviceId)}/edit`;

export function addEditImageCommands(service: Command, api: () => ApiClient): void {
  service
    .command('edit-image')
    .description('boot the image of a service to change it by hand; then save or discard it')
    .argument('<service>')
    .option('--image <n>', 'which image of it (default: the present one)', wholeNumber)
    .option('--json', 'as JSON', false)
    .action(async (serviceId: string, { image, json }: { image?: number; json: boolean }) => {
      const client = api();
      const path = editPath(serviceId) + (image === undefined ? '' : `?version=${image}`);
      await runOperation(client, { method: 'POST', path }, { json, quiet: json, until: editIsUp });
      await showEdit(client, serviceId, { json });
    });

  service
    .command('save')
    .description('save what was edited as the next image of a service')
    .argument('<service>')
    .option('--json', 'events as JSON, one a line', false)
    .action(async (serviceId: string, output: Output) => {
      const client = api();
      const { operationId } = await client.request<{ operationId: string }>('POST', `${editPath(serviceId)}/save`, undefined, {
        prefer: 'wait=120',
      });
      const { result } = await watchOperation(client, operationId, output);
      if (!output.json) say(`${serviceId} starts from image ${String(result?.['version'])} now.`);
    });

  service
    .command('console')
    .description('type at the serial console of the editing VM of a service; Ctrl-] leaves it')
    .argument('<service>')
    .action((serviceId: string) =>
      atTerminal(process.stdin, (typed) => api().talk(`${editPath(serviceId)}/console`, typed, process.stdout)),
    );

  service
    .command('discard')
    .description('throw away what was edited')
    .argument('<service>')
    .option('--json', 'as JSON', false)
    .action(async (serviceId: string, output: Output) => {
      const discarding = await api().request<{ operationId: string }>('DELETE', editPath(serviceId));
      show(output, discarding, () => `What was edited in ${serviceId} is discarded.`);
    });
}

/** The event of an operation that says so. */
export const editIsUp = 'service-vm.ready';

export async function showEdit(api: ApiClient, serviceId: string, output: Output): Promise<void> {
  show(output, await api.request<ServiceEditBody>('GET', editPath(serviceId)), (edit) => describeEdit(serviceId, edit));
}

function describeEdit(serviceId: string, { address, ports, vnc, imageVersion }: ServiceEditBody): string {
  const reached = ports.map(({ name, protocol, hostPort }) => `  ${name.padEnd(12)} ${address}:${hostPort}/${protocol}`);
  return [
    `The editing VM of ${serviceId} is up. Save it as image ${imageVersion}: cloudlet service save ${serviceId}`,
    ...reached,
    ...(vnc ? [`  ${'screen'.padEnd(12)} VNC at ${vnc.host}:${vnc.port}, on this host alone`] : []),
    `  ${'console'.padEnd(12)} cloudlet service console ${serviceId}`,
    `Shut the guest down first to save its disk alone. To throw all of it away: cloudlet service discard ${serviceId}`,
  ].join('\n');
}
