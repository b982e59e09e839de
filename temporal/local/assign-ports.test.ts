import { createServer, type Server } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../config/load-config.ts';
import { assignPorts, isPortFree } from './assign-ports.ts';

describe('assignPorts', () => {
  let runDir = '';
  const servers: Server[] = [];
  const { config } = loadConfig({ environment: {}, checkoutDir: '/nowhere' });

  beforeEach(() => (runDir = mkdtempSync(join(tmpdir(), 'assign-ports-'))));
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
    rmSync(runDir, { recursive: true });
  });
  const listen = (port: number) => new Promise<void>((resolve) => servers.push(createServer().listen(port, '127.0.0.1', resolve)));

  it('gives each open port a free one of its own, and keeps it', async () => {
    const first = await assignPorts({ ...config, apiPort: 0 }, runDir);
    const ports = [first.apiPort, first.postgresPort, first.temporalPort, first.temporalUiPort];
    expect(new Set(ports).size).toBe(4);
    expect(first.managerPort).toBe(9998);
    for (const port of ports) expect(port).toBeGreaterThanOrEqual(10_240);
    expect(await assignPorts({ ...config, apiPort: 0 }, runDir)).toEqual(first);
  });

  it('picks another one where the remembered one is taken', async () => {
    const { postgresPort } = await assignPorts(config, runDir);
    await listen(postgresPort);
    expect(await isPortFree(postgresPort)).toBe(false);
    expect((await assignPorts(config, runDir)).postgresPort).not.toBe(postgresPort);
  });

  it('does not trip over a memory that makes no sense', async () => {
    for (const text of ['', '[]', '{"postgresPort":"x"}', '{"postgresPort":-1}']) {
      writeFileSync(join(runDir, 'ports.json'), text);
      expect((await assignPorts(config, runDir)).postgresPort).toBeGreaterThan(0);
    }
  });

  it('says when no port is left', async () => {
    const guestPorts = { first: 1024, last: 65_535 };
    await expect(assignPorts({ ...config, guestPorts }, runDir)).rejects.toThrow('No port from 10240 to 19999 is free for postgresPort.');
  });
});
