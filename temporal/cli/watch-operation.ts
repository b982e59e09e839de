import { CloudletError, type Problem } from '../../workflows/contract/errors.ts';
import { toCloudletError } from '../../workflows/contract/failure.ts';
import type { OperationBody } from '../../workflows/contract/http.ts';
import type { Progress } from '../../workflows/contract/operation.ts';
import type { ApiClient } from './api-client.ts';
import { say, type Output } from './output.ts';
import { progressLine } from './progress-bar.ts';

/**
 * Shows how an operation goes on until it has ended, or has come so far: a bar that moves on a terminal, a line a step
 * elsewhere.
 * @throws CloudletError what it failed of
 */
export async function watchOperation(
  api: ApiClient,
  id: string,
  output: Output,
  isEnough: (progress: Progress) => boolean = () => false,
): Promise<OperationBody> {
  const bar = process.stdout.isTTY && !output.json;
  let shown = '';
  for await (const { event, data } of api.events(`/v1/operations/${id}/events`)) {
    const progress = event === 'operation.progress' ? (data as unknown as Progress) : undefined;
    if (output.json) say(JSON.stringify({ event, ...data }));
    else if (progress) {
      const line = progressLine(progress);
      if (bar) process.stdout.write(`\r\u001b[K${line}`);
      else if (line !== shown) say(line);
      shown = line;
    }
    if (progress && isEnough(progress)) break;
  }
  if (bar) process.stdout.write('\r\u001b[K');
  const operation = await api.request<OperationBody>('GET', `/v1/operations/${id}`);
  if (operation.state === 'failed' || operation.state === 'cancelled') throw failureOf(operation.problem);
  return operation;
}

const failureOf = (problem: Problem | null): CloudletError => {
  if (!problem) return new CloudletError('internal', 'The operation did not succeed, and left no reason.');
  const { code, detail, type: _type, title: _title, status: _status, ...facts } = problem;
  return toCloudletError({ code, detail, facts });
};
