/** A real dbus-daemon that is full, hangs, dies or is not there. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BusConnection } from './bus-connection.ts';
import { dbusAddressIn, startDbusDaemon } from './test-support/dbus-daemon.ts';
import type { TestProcess } from './test-support/test-process.ts';

let directory: string;
let daemon: TestProcess | undefined;
const connections: BusConnection[] = [];

async function open(timeoutMs = 5_000, signal = new AbortController().signal): Promise<BusConnection> {
  const connection = await BusConnection.open({ address: dbusAddressIn(directory), timeoutMs, onSignal: () => undefined, signal });
  connections.push(connection);
  return connection;
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cloudlet-dbus-'));
});
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  await daemon?.kill();
  daemon = undefined;
  await rm(directory, { recursive: true });
});

describe('BusConnection', () => {
  it('answers', async () => {
    daemon = await startDbusDaemon({ directory });
    const connection = await open();
    expect(await connection.nameOwner('org.freedesktop.DBus')).toBe('org.freedesktop.DBus');
    expect(await connection.nameOwner('org.example.Nobody')).toBeUndefined();
  });

  it('says that nobody is there', async () => {
    await expect(open()).rejects.toThrow('ENOENT');
  });

  it('survives a daemon that takes no more connections', async () => {
    daemon = await startDbusDaemon({ directory, maximumConnections: 1 });
    await open();
    await expect(open()).rejects.toThrow(/refused the connection: .*maximum number of active connections/);
  });

  it('rejects what is under way when the daemon dies', async () => {
    daemon = await startDbusDaemon({ directory });
    const connection = await open();
    process.kill(daemon.pid, 'SIGSTOP');
    const asking = connection.nameOwner('org.example.Nobody');
    await Promise.all([expect(asking).rejects.toThrow(/closed the connection|EPIPE|ECONNRESET/), daemon.kill()]);
    expect(connection.closed.aborted).toBe(true);
    await expect(connection.nameOwner('org.example.Nobody')).rejects.toBe(connection.closed.reason);
  });

  it('waits for a daemon that hangs no longer than it was told', async () => {
    daemon = await startDbusDaemon({ directory });
    const connection = await open(200);
    process.kill(daemon.pid, 'SIGSTOP');
    await expect(connection.nameOwner('org.example.Nobody')).rejects.toThrow('did not answer GetNameOwner within 0.2 s');
    await expect(open(200)).rejects.toThrow('did not answer within 0.2 s');
    expect(connection.closed.aborted).toBe(false);
    await expect(open(60_000, AbortSignal.timeout(50))).rejects.toThrow('aborted due to timeout');
  });
});
