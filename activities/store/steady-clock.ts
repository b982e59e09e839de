import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { EntityManager } from '@mikro-orm/postgresql';
import { msPerSecond } from '../../workflows/contract/units.ts';

/**
 * Time that only ever moves on, at the pace of a real clock, whatever happens to the wall clock: a cloudlet in a
 * vehicle may learn the date hours after it booted, and no lease may end because of that.
 *
 * Steady time is the kernel's time since boot (which counts sleep) plus a base that the first process of a boot writes
 * down, such that time begins with the wall clock's reading then, or where it stood last if the wall clock lags behind.
 */
export interface SteadyClock {
  readonly bootId: string;
  nowMs(): number;
}

export const readBootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

/** What steady time is made of. */
export interface Machine {
  /** Changes with every boot. */
  readonly bootId: string;
  readonly sinceBootMs: () => number;
  readonly wallClockMs: () => number;
}

const thisMachine = (): Machine => ({
  bootId: readBootId(),
  sinceBootMs: () => Math.round(uptime() * msPerSecond),
  wallClockMs: () => Date.now(),
});

export async function openSteadyClock(em: EntityManager, machine: Machine = thisMachine()): Promise<SteadyClock> {
  const { bootId, sinceBootMs, wallClockMs } = machine;
  // Hosts write down the steady time every other second, so they know best where it stood.
  const [epoch] = await em.execute<{ base_ms: string }[]>(
    `insert into steady_epochs (boot_id, base_ms)
     select ?, greatest(?::bigint, (select max(base_ms) from steady_epochs), (select max(heartbeat_at_ms) from hosts)) - ?::bigint
     on conflict (boot_id) do update set boot_id = excluded.boot_id
     returning base_ms`,
    [bootId, wallClockMs(), sinceBootMs()],
  );
  const baseMs = Number(epoch!.base_ms);
  return { bootId, nowMs: () => baseMs + sinceBootMs() };
}
