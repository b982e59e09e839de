import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeTestDataDir } from '../../test/support/local-parts.ts';
import { inheritedEnvironment } from '../config/inherited-environment.ts';
import { pollUntil } from '../supervisor/poll-until.ts';
import { runProgram } from '../supervisor/run-program.ts';
import { startChild } from '../supervisor/start-child.ts';
import type { DataDir } from './data-dir.ts';
import { startAvahi } from './start-avahi.ts';
import { busNameHasOwner, startDbus } from './start-dbus.ts';

describe('startAvahi', () => {
  let dataDir: DataDir;
  beforeEach(() => (dataDir = makeTestDataDir()));
  afterEach(() => rmSync(dataDir.root, { recursive: true }));

  it('announces and finds services on a bus of its own, and ends with it', async () => {
    const bus = await startDbus({ directory: dataDir.dbus, logPath: dataDir.logOf('dbus') });
    const avahi = await startAvahi({
      directory: dataDir.avahi,
      dbusDirectory: dataDir.dbus,
      logPath: dataDir.logOf('avahi'),
      onlyInterface: 'lo',
    });
    const environment = { ...inheritedEnvironment(), DBUS_SYSTEM_BUS_ADDRESS: bus.address };
    const publish = ['avahi-publish', '--service', 'start-avahi-test', '_cloudlet._tcp', '9999', 'encryption=none'] as const;
    const publisher = startChild({ argv: publish, environment, logPath: dataDir.logOf('publish') });
    const browse = () =>
      runProgram(['avahi-browse', '--parsable', '--resolve', '--terminate', '_cloudlet._tcp'], { environment, timeoutMs: 10_000 });
    const found = await pollUntil(
      async () => (await browse()).stdout.split('\n').find((line) => line.startsWith('=') && line.includes('start-avahi-test')),
      {
        deadlineMs: 15_000,
      },
    );
    expect(found?.split(';').slice(1, 9)).toEqual([
      'lo',
      'IPv4',
      'start-avahi-test',
      '_cloudlet._tcp',
      'local',
      expect.stringMatching(/\.local$/),
      '127.0.0.1',
      '9999',
    ]);
    await publisher.stop();

    process.kill(bus.child.pid, 'SIGKILL');
    expect(await avahi.child.ended).toBe('ended with status 0');
    expect(await busNameHasOwner(bus.address, 'org.freedesktop.Avahi')).toBe(false);
  });
});
