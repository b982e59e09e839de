import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestParts, type TestParts } from '../../test/support/local-parts.ts';
import { inheritedEnvironment } from '../config/inherited-environment.ts';
import { pollUntil } from '../supervisor/poll-until.ts';
import { runProgram } from '../supervisor/run-program.ts';
import { avahiBusName } from './start-avahi.ts';
import { busNameHasOwner } from './start-dbus.ts';
import { localParts } from './local-parts.ts';
import { databaseAnswers } from './start-postgres.ts';

const commandLines = (): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => (existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : ''));

describe('localParts', () => {
  let parts: TestParts;
  const answers = {
    postgres: () => databaseAnswers(parts.facts.databaseUrl ?? ''),
    temporal: async () => (await fetch(parts.facts.temporalUiUrl ?? '')).ok,
    libvirtd: async () =>
      (await runProgram(['virsh', '-c', parts.facts.libvirtUri ?? '', 'version'], { environment: inheritedEnvironment(), timeoutMs: 5000 }))
        .status === 0,
    dbus: () => busNameHasOwner(parts.facts.dbusAddress ?? '', avahiBusName),
    avahi: () => busNameHasOwner(parts.facts.dbusAddress ?? '', avahiBusName),
  } as const;

  beforeAll(async () => {
    parts = await startTestParts({ parts: ['postgres', 'temporal', 'libvirt', 'avahi'] });
  });
  afterAll(() => parts.stop());

  it.each(Object.keys(answers) as (keyof typeof answers)[])('has %s back after kill -9, at the same place', async (daemon) => {
    expect(await answers[daemon]()).toBe(true);
    const before = parts.pidOf(daemon);
    process.kill(before, 'SIGKILL');
    const back = await pollUntil(async () => parts.pidOf(daemon) !== before && (await answers[daemon]()), { deadlineMs: 30_000 });
    expect(back).toBe(true);
  });

  it('uses what the configuration names, and starts nothing of its own beside it', async () => {
    const given = localParts(parts.config, parts.dataDir).filter(({ name }) => name !== 'dbus' && name !== 'avahi');
    const context = { facts: {}, logPath: parts.dataDir.logOf('unused'), signal: new AbortController().signal };
    const running = await Promise.all(given.map((part) => part.start(context)));
    expect(running.filter((part) => 'ended' in part || 'stop' in part)).toEqual([]);
    expect(Object.assign({}, ...running.map(({ facts }) => facts))).toMatchObject({
      databaseUrl: parts.facts.databaseUrl,
      libvirtUri: parts.facts.libvirtUri,
    });
    expect(running[0]?.detail).toMatch(/^postgresql:\/\/cloudlet:\*\*\*@127\.0\.0\.1:\d+\/cloudlet$/);
  });

  it('leaves nothing behind', async () => {
    await parts.stop();
    expect(commandLines().filter((line) => line.includes(parts.dataDir.root))).toEqual([]);
    expect(existsSync(parts.dataDir.root)).toBe(false);
  });
});
