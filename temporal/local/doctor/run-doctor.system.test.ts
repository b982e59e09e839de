import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTestDataDir } from '../../../test/support/local-parts.ts';
import { loadConfig } from '../../config/load-config.ts';
import type { Config } from '../../config/settings.ts';
import type { DataDir } from '../data-dir.ts';
import { checks, runDoctor } from './run-doctor.ts';

describe('runDoctor', () => {
  let dataDir: DataDir;
  let config: Config;
  beforeAll(() => {
    dataDir = makeTestDataDir();
    config = loadConfig({ environment: { CLOUDLET_DATA_DIR: dataDir.root, CLOUDLET_API_PORT: '0', CLOUDLET_MANAGER_PORT: '0' } }).config;
  });
  afterAll(() => rmSync(dataDir.root, { recursive: true }));

  it('finds this machine fit, with an answer to every question', async () => {
    const { results, healthy } = await runDoctor(config);
    expect(results.map(({ id }) => id)).toEqual(checks.map(({ id }) => id));
    expect(results.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(healthy).toBe(true);
    // What is not well has a price or a remedy, or the doctor has only troubled somebody.
    expect(results.filter(({ status, cost, remedy }) => status !== 'ok' && cost === undefined && remedy === undefined)).toEqual([]);
  });

  it('says which port is taken and how to take another', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, resolve));
    const address = server.address();
    const apiPort = typeof address === 'object' && address ? address.port : 0;
    const { results, healthy } = await runDoctor({ ...config, apiPort });
    server.close();
    expect(healthy).toBe(false);
    expect(results.find(({ id }) => id === 'ports')).toMatchObject({
      status: 'fail',
      finding: `somebody else uses ${apiPort}`,
      remedy: expect.stringContaining('CLOUDLET_API_PORT'),
    });
  });

  it('says that a libvirt does not answer', async () => {
    const libvirtUri = `qemu+unix:///system?socket=${join(dataDir.root, 'none')}`;
    const { results } = await runDoctor({ ...config, libvirtUri });
    expect(results.find(({ id }) => id === 'libvirt-probing')?.status).toBe('fail');
  });
});
