import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { EntityManager } from '@mikro-orm/postgresql';
import { msPerSecond } from '../../workflows/contract/units.ts';

/**
 * Time that only ever moves on, at the pace of a real clock, whatever happens to the wall clock: a cloudlet in a
 * vehicle may learn the date hours after it booted, and no lease may end because of that.
 *
 * Steady time is the kernel's time since boot (which counts sleep) plus a base that the first process of a boot writes
 * down: the wall clock's reading then, or the highest base known if the wall clock lags behind it.
 */
export interface SteadyClock {
  readonly bootId: string;
  nowMs(): number;
}

export const readBootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
const sinceBootMs = (): number => Math.round(uptime() * msPerSecond);

export async function openSteadyClock(em: EntityManager, bootId: string = readBootId()): Promise<SteadyClock> {
  const baseIfFirst = Date.now() - sinceBootMs();
  const [epoch] = await em.execute<{ base_ms: string }[]>(
    `insert into steady_epochs (boot_id, base_ms)
     values (?, greatest(?::bigint, (select max(base_ms) from steady_epochs)))
     on conflict (boot_id) do update set boot_id = excluded.boot_id
     returning base_ms`,
    [bootId, baseIfFirst],
  );
  const baseMs = Number(epoch!.base_ms);
  return { bootId, nowMs: () => baseMs + sinceBootMs() };
}
