import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ask, openStoreLab, type StoreLab } from '../../test/support/api-store.ts';
import { recordHost } from './hosts.ts';
import { openSteadyClock, readBootId, type Machine, type SteadyClock } from './steady-clock.ts';

let lab: StoreLab;
beforeAll(async () => {
  lab = await openStoreLab();
});
afterAll(() => lab?.close());
beforeEach(async () => {
  await lab.store.fork().execute('delete from steady_epochs');
  await lab.store.fork().execute('update hosts set heartbeat_at_ms = 0');
});

const hour = 3_600_000;
const noon2026 = Date.UTC(2026, 0, 1, 12);

/** A machine whose two clocks a test sets. */
class TestMachine implements Machine {
  bootId = 'boot-1';
  upMs = 60_000;
  wallMs = noon2026;
  readonly sinceBootMs = () => this.upMs;
  readonly wallClockMs = () => this.wallMs;

  /** Time passes for both. */
  pass(ms: number): void {
    this.upMs += ms;
    this.wallMs += ms;
  }

  reboot(wallMs: number): void {
    this.bootId = `boot-${Math.random()}`;
    this.upMs = 5_000;
    this.wallMs = wallMs;
  }
}

const open = (machine: Machine): Promise<SteadyClock> => openSteadyClock(lab.store.fork(), machine);
/** As the worker of a host does every other second. */
const beat = (clock: SteadyClock) =>
  recordHost({ ...lab.store, clock }, lab.hostId, {
    name: 'h',
    bootId: clock.bootId,
    vcpus: 1,
    memoryMib: 1,
    memoryAvailableMib: 1,
    diskBytes: 1,
    diskFreeBytes: 1,
    fingerprint: null,
    hypervisorProblem: null,
    address: '192.0.2.1',
  });

describe('steady time', () => {
  it('begins with the wall clock and goes at its pace', async () => {
    const machine = new TestMachine();
    const clock = await open(machine);
    expect(clock.nowMs()).toBe(noon2026);
    machine.pass(1234);
    expect(clock.nowMs()).toBe(noon2026 + 1234);
  });

  it.each([
    ['forwards', 400 * 24 * hour],
    ['backwards', -400 * 24 * hour],
  ])('does not care when the wall clock jumps %s', async (_, jumpMs) => {
    const machine = new TestMachine();
    const clock = await open(machine);
    machine.wallMs += jumpMs;
    machine.pass(1000);
    expect(clock.nowMs()).toBe(noon2026 + 1000);
    // A process that starts after the jump agrees with those before.
    expect((await open(machine)).nowMs()).toBe(clock.nowMs());
  });

  it('is the same for processes that start at once', async () => {
    const machine = new TestMachine();
    const clocks = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        open({ bootId: machine.bootId, sinceBootMs: machine.sinceBootMs, wallClockMs: () => noon2026 + index * 17 }),
      ),
    );
    expect(new Set(clocks.map((clock) => clock.nowMs())).size).toBe(1);
  });

  it('goes on from the wall clock after a reboot', async () => {
    const machine = new TestMachine();
    await open(machine);
    machine.reboot(noon2026 + 10 * hour);
    expect((await open(machine)).nowMs()).toBe(noon2026 + 10 * hour);
  });

  it('never falls behind what it was before a reboot, though the machine has forgotten the date', async () => {
    const machine = new TestMachine();
    const before = await open(machine);
    machine.pass(10 * hour);
    await beat(before);
    machine.reboot(Date.UTC(1970, 0, 1));
    const after = await open(machine);
    expect(after.nowMs()).toBeGreaterThanOrEqual(before.nowMs() - 60_000);
    expect(after.nowMs()).toBe(noon2026 + 10 * hour);
    machine.pass(1000);
    expect(after.nowMs()).toBe(noon2026 + 10 * hour + 1000);
  });

  it('is in order over any number of boots', async () => {
    const machine = new TestMachine();
    let lastMs = 0;
    for (const wallMs of [noon2026, 0, noon2026 + hour, noon2026 - 500 * hour, 17]) {
      machine.reboot(wallMs);
      const clock = await open(machine);
      expect(clock.nowMs()).toBeGreaterThanOrEqual(lastMs);
      machine.pass(hour);
      await beat(clock);
      lastMs = clock.nowMs();
    }
  });

  it('of this machine is close to the wall clock, and known by its boot', async () => {
    const clock = await openSteadyClock(lab.store.fork());
    expect(clock.bootId).toBe(readBootId());
    expect(Math.abs(clock.nowMs() - Date.now())).toBeLessThan(1000);
    expect(await ask(lab.store, 'select count(*)::int from steady_epochs')).toBe(1);
  });
});
