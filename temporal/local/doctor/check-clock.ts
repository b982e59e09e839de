import { setTimeout as sleep } from 'node:timers/promises';
import { runProgram } from '../../supervisor/run-program.ts';
import { type Check, type Finding, ok } from './check.ts';

/** A clock before this year has never been set: certificates and leases would be judged by nonsense. */
const firstSaneYear = 2025;
const sampleMs = 200;
const toleratedSkewMs = 50;

/**
 * @param now the wall clock
 * @param skewMs how much further the wall clock went than the monotonic one in the sample
 * @param synchronized whether a time service says so; undefined where there is none to ask
 */
export function judgeClock(now: Date, skewMs: number, synchronized: boolean | undefined): Finding {
  const remedy = 'Set the time (date --set), and run a time service such as systemd-timesyncd or chrony.';
  if (now.getUTCFullYear() < firstSaneYear) {
    return { status: 'fail', finding: `the clock says ${now.toISOString()}`, cost: 'certificates and times are wrong', remedy };
  }
  if (Math.abs(skewMs) > toleratedSkewMs) {
    return {
      status: 'warn',
      finding: `the wall clock jumps: ${Math.round(skewMs)} ms in ${sampleMs} ms`,
      cost: 'times in lists are wrong',
      remedy,
    };
  }
  if (synchronized === false)
    return { status: 'warn', finding: 'the clock is not synchronized', cost: 'times of several hosts do not agree', remedy };
  return ok(`${now.toISOString()}, ${synchronized ? 'synchronized' : 'whether it is synchronized is not known'}`);
}

export const checkClock: Check = {
  id: 'clock',
  title: 'Clock',
  async run({ environment }) {
    const [wallBefore, before] = [Date.now(), performance.now()];
    await sleep(sampleMs);
    const skewMs = Date.now() - wallBefore - (performance.now() - before);
    const { status, stdout } = await runProgram(['timedatectl', 'show', '--property=NTPSynchronized', '--value'], {
      environment,
      timeoutMs: 5000,
    });
    return judgeClock(new Date(), skewMs, status === 0 ? stdout.trim() === 'yes' : undefined);
  },
};
