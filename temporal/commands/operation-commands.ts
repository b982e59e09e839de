import type { Command } from 'commander';
import type { OperationBody } from '../../workflows/contract/http.ts';
import { formatDuration } from '../../workflows/contract/units.ts';
import type { ApiClient } from '../cli/api-client.ts';
import { say, show, type Output } from '../cli/output.ts';
import { progressLine } from '../cli/progress-bar.ts';
import { formatTable, type Column } from '../cli/table.ts';
import { watchOperation } from '../cli/watch-operation.ts';

const columns: readonly Column<OperationBody>[] = [
  ['id', ({ id }) => id],
  ['operation', ({ kind }) => kind],
  ['about', ({ subject }) => subject],
  ['state', ({ state }) => state],
  ['took', ({ createdAt, finishedAt }) => formatDuration((finishedAt ? Date.parse(finishedAt) : Date.now()) - Date.parse(createdAt))],
  ['', ({ state, progress, problem }) => (state === 'running' && progress ? progressLine(progress) : (problem?.detail ?? ''))],
];

export function addOperationCommands(operation: Command, api: () => ApiClient): void {
  operation
    .command('list')
    .description('operations, the latest first')
    .option('--running', 'only those that run', false)
    .option('--service <service>', 'only those about it, or a Service VM of it')
    .option('--json', 'as JSON', false)
    .action(async ({ running, service, json }: { running: boolean; service?: string; json: boolean }) => {
      const query = new URLSearchParams({
        limit: '30',
        ...(running ? { state: 'running' } : {}),
        ...(service === undefined ? {} : { serviceId: service }),
      });
      const { operations } = await api().request<{ operations: OperationBody[] }>('GET', `/v1/operations?${query.toString()}`);
      show({ json }, operations, (rows) => formatTable(rows, columns, running ? 'No operation runs.' : 'No operations yet.'));
    });

  operation
    .command('watch')
    .description('follow an operation until it has ended')
    .argument('<id>')
    .option('--json', 'events as JSON, one a line', false)
    .action(async (id: string, output: Output) => {
      const client = api();
      // A wrong id, or a cloudlet that is away, is said at once.
      await client.request('GET', pathOf(id));
      const { state, kind, subject } = await watchOperation(client, id, output);
      if (!output.json) say(`${kind} of ${subject} has ${state}.`);
    });

  operation
    .command('log')
    .description('what the commands of a recipe wrote')
    .argument('<id>')
    .action(async (id: string) => {
      process.stdout.write(await api().text(`${pathOf(id)}/log`));
    });

  operation
    .command('cancel')
    .description('ask an operation to end, and to undo what it did')
    .argument('<id>')
    .option('--json', 'as JSON', false)
    .action(async (id: string, output: Output) => {
      const client = api();
      await client.request('POST', `${pathOf(id)}/cancel`);
      const operation = await client.request<OperationBody>('GET', pathOf(id), undefined, { prefer: 'wait=60' });
      show(output, operation, ({ state }) =>
        state === 'running'
          ? `It was asked to end, and is still undoing what it did: cloudlet operation watch ${id}`
          : `It has ${state === 'cancelled' ? 'been cancelled' : state}.`,
      );
    });
}

const pathOf = (id: string): string => `/v1/operations/${encodeURIComponent(id)}`;
