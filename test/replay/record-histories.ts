/**
 * Records the histories that are missing, from real runs. One that is there is never recorded anew: where a change of a
 * workflow does not replay it, the change needs `patched()`. Delete one to have it recorded again, as long as no version
 * with it was released.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { TerminatedFailure } from '@temporalio/common';
import { historyToJSON, type History } from '@temporalio/common/lib/proto-utils.js';
import { checkoutDir } from '../../temporal/config/load-config.ts';
import type { CallKey } from '../support/workflow-faults.ts';
import { refusalOf } from '../support/workflow-instance.ts';
import { openWorkflowLab, type WorkflowLab } from '../support/workflow-lab.ts';
import { historiesDir, recordedHistories, scenarioOf } from './histories.ts';
import { scenarios } from './scenarios.ts';

type Scenario = (typeof scenarios)[number];

async function recordMissing(): Promise<void> {
  await mkdir(historiesDir, { recursive: true });
  const recorded = new Set(recordedHistories().map(scenarioOf));
  const missing = scenarios.filter(({ name }) => !recorded.has(name));
  process.stdout.write(`${missing.length} to record, ${recorded.size} kept\n`);
  if (missing.length === 0) return;
  const lab = await openWorkflowLab();
  try {
    for (const scenario of missing) await record(lab, scenario);
  } finally {
    await lab.close();
  }
  spawnSync(join(checkoutDir, 'node_modules', '.bin', 'oxfmt'), [historiesDir], { stdio: 'inherit' });
}

async function record(lab: WorkflowLab, { name, prepare, planted = {} }: Scenario): Promise<void> {
  const { workflowId, run } = await prepare(lab);
  const plan = lab.faults.of(workflowId);
  for (const [key, fault] of Object.entries(planted)) plan.inject(key as CallKey, fault);
  await refusalOf(run());

  const executions = await Promise.all(lab.faults.coveredBy(plan).map((covered) => runsOf(lab, covered)));
  const histories = executions.flat();
  for (const [index, history] of histories.entries()) {
    const file = histories.length === 1 ? `${name}.json` : `${name}.${index + 1}.json`;
    await writeFile(join(historiesDir, file), JSON.stringify(JSON.parse(historyToJSON(history), reduced)));
  }
}

/** The histories of an execution's runs, the first one first; none of one that never began, or that the scenario terminated. */
async function runsOf(lab: WorkflowLab, workflowId: string): Promise<History[]> {
  const handle = lab.client.workflow.getHandle(workflowId);
  const ended = await handle.result().then(
    () => undefined,
    (error: unknown) => error,
  );
  if (ended instanceof WorkflowNotFoundError) return [];
  if (ended instanceof WorkflowFailedError && ended.cause instanceof TerminatedFailure) return [];
  const runs: History[] = [];
  let runId: string | undefined;
  do {
    const history = await lab.client.workflow.getHandle(workflowId, runId).fetchHistory();
    runs.unshift(history);
    runId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? undefined;
  } while (runId);
  return runs;
}

/** What worker and server note beside what replay looks at: paths of this machine, and what differs in every run. */
const notReplayed = new Set(['stackTrace', 'workerVersion', 'taskId', 'requestId']);
const longestPayload = 100_000;

/** For `JSON.parse`: leaves out what replay does without. */
function reduced(key: string, value: unknown): unknown {
  if (notReplayed.has(key)) return undefined;
  return key === 'data' && typeof value === 'string' && value.length > longestPayload ? withoutFilling(value) : value;
}

/** A signal that made the history long; nothing reads what it was filled with. */
function withoutFilling(payload: string): string {
  const { filling: _filling, ...signal } = JSON.parse(Buffer.from(payload, 'base64').toString('utf8')) as { filling: string };
  return Buffer.from(JSON.stringify(signal)).toString('base64');
}

await recordMissing();
