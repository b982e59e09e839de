import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTestDataDir } from '../../test/support/local-parts.ts';
import { checkoutDir, loadConfig } from '../config/load-config.ts';
import { assignPorts } from './assign-ports.ts';
import type { DataDir } from './data-dir.ts';
import { findTemporal } from './find-temporal.ts';
import { searchAttributes, startTemporal, type Temporal } from './start-temporal.ts';

describe('startTemporal', () => {
  let dataDir: DataDir;
  let start: () => Promise<Temporal>;

  beforeAll(async () => {
    dataDir = makeTestDataDir();
    const { config } = loadConfig({ environment: { CLOUDLET_DATA_DIR: dataDir.root } });
    const { temporalPort, temporalUiPort } = await assignPorts(config, dataDir.run);
    const binary = await findTemporal(join(checkoutDir, '.cloudlet/bin'));
    const logPath = dataDir.logOf('temporal');
    start = () =>
      startTemporal({ binary, namespace: 'cloudlet', logPath, port: temporalPort, uiPort: temporalUiPort, directory: dataDir.temporal });
  });
  afterAll(() => rmSync(dataDir.root, { recursive: true }));

  it('remembers workflows, retention and search attributes when it is killed', async () => {
    const first = await start();
    const connection = await Connection.connect({ address: first.address });
    const client = new Client({ connection, namespace: 'cloudlet' });
    const handle = await client.workflow.start('unknown', { taskQueue: 'nobody', workflowId: 'kept' });
    expect((await fetch(first.uiUrl ?? '')).status).toBe(200);
    process.kill(first.child.pid, 'SIGKILL');
    await first.child.ended;

    const second = await start();
    expect(second.address).toBe(first.address);
    expect((await handle.describe()).status.name).toBe('RUNNING');
    const { config } = await connection.workflowService.describeNamespace({ namespace: 'cloudlet' });
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 24 * 3600);
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'cloudlet' });
    expect(Object.keys(customAttributes ?? {})).toEqual(expect.arrayContaining(Object.keys(searchAttributes)));
    await connection.close();
    await second.child.stop();
    expect(second.child.hasEnded()).toBe(true);
  });
});
