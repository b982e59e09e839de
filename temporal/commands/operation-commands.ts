import type { Command } from 'commander';
import type { OperationBody } from '../../workflows/contract/http.ts';
import { formatDuration } from '../../workflows/contract/units.ts';
import type { ApiClient } from '../cli/api-client.ts';
import { say, show } from '../cli/output.ts';
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
    .option('--json', 'as JSON', false)
    .action(async ({ running, json }: { running: boolean; json: boolean }) => {
      const { operations } = await api().request<{ operations: OperationBody[] }>(
        'GET',
        `/v1/operations?limit=30${running ? '&state=running' : ''}`,
      );
      show({ json }, operations, (rows) => formatTable(rows, columns, running ? 'No operation runs.' : 'No operations yet.'));
    });

  operation
    .command('watch')
    .description('follow an operation until it has ended')
    .argument('<id>')
    .option('--json', 'events as JSON, one a line', false)
    .action(async (id: string, output: { json: boolean }) => {
      const { state, kind, subject } = await watchOperation(api(), id, output);
      if (!output.json) say(`${kind} of ${subject} has ${state}.`);
    });

  operation
    .command('log')
    .description('what the commands of a recipe wrote')
    .argument('<id>')
    .action(async (id: string) => {
      process.stdout.write(await api().text(`/v1/operations/${id}/log`));
    });

  operation
    .command('cancel')
    .description('ask an operation to end, and to undo what it did')
    .argument('<id>')
    .action(async (id: string) => {
      await api().request('POST', `/v1/operations/${id}/cancel`);
      say('It was asked to end.');
    });
}
