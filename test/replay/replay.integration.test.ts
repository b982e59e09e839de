import { join } from 'node:path';
import { Runtime, Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkoutDir } from '../../temporal/config/load-config.ts';
import { createLog } from '../../temporal/log.ts';
import { temporalLogger } from '../../temporal/worker/temporal-logger.ts';
import { workflowBundle } from '../../temporal/worker/workflow-bundle.ts';
import * as workflows from '../../workflows/index.ts';
import { recordedHistories, scenarioOf } from './histories.ts';
import { scenarios } from './scenarios.ts';

const recorded = recordedHistories();

/** What went wrong with each history, by its name. */
const failures = new Map<string, Error | undefined>();

beforeAll(async () => {
  Runtime.install({
    logger: temporalLogger(createLog('test', 'silent')),
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
  });
  const bundle = await workflowBundle(join(checkoutDir, '.cloudlet', 'cache'));
  // Named after their file, so that each result tells which history it is of.
  const histories = recorded.map(({ name, text }) => ({ workflowId: name, history: JSON.parse(text) as unknown }));
  const results = Worker.runReplayHistories({ workflowBundle: bundle }, histories);
  for await (const { workflowId, error } of results) failures.set(workflowId, error);
});

describe('a recorded execution', () => {
  it.each(recorded.map(({ name }) => name))('goes on from where it was: %s', (name) => {
    expect(failures.has(name)).toBe(true);
    expect(failures.get(name)).toBeUndefined();
  });
});

describe('the recorded histories', () => {
  it('are of every scenario, and of no other', () => {
    expect(new Set(recorded.map(scenarioOf))).toEqual(new Set(scenarios.map(({ name }) => name)));
  });

  it('are of every workflow', () => {
    const types = recorded.map(({ text }) => /"workflowType": *\{ *"name": *"(\w+)"/.exec(text)?.[1]);
    expect(new Set(types)).toEqual(new Set(Object.keys(workflows)));
  });

  it.each(recorded)('name neither a machine nor a path of one: $name', ({ text }) => {
    const strings = [...text.matchAll(/"(\w+)": *"([^"]+)"/g)].map(([, key, value]) => ({ key, value: value! }));
    const payloads = strings.filter(({ key }) => key === 'data').map(({ value }) => Buffer.from(value, 'base64').toString('utf8'));
    const identities = strings.filter(({ key }) => key === 'identity').map(({ value }) => value);
    expect(identities.filter((identity) => !['cloudlet-test', 'history-service'].includes(identity))).toEqual([]);
    expect([text, ...payloads].join('\n')).not.toMatch(/node_modules|file:\/\/|"\/(home|root|tmp|var|work)\//);
  });
});
