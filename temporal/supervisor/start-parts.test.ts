import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Part, RunningPart } from './part.ts';
import { pollUntil } from './poll-until.ts';
import { lineReport } from './report.ts';
import { startParts } from './start-parts.ts';

interface Facts {
  readonly url?: string;
  readonly other?: string;
}

const never = new AbortController().signal;
const backoff = { firstMs: 5, maxMs: 20, forgetAfterMs: 60_000 };

/** Parts of no substance that write down what happens to them. */
function stage() {
  const events: string[] = [];
  const lines: string[] = [];
  const part = (name: string, needs: readonly string[] = [], more: Partial<Part<Facts>> = {}): Part<Facts> => ({
    name,
    title: name.toUpperCase(),
    needs,
    async start() {
      events.push(`+${name}`);
      await sleep(5);
      return running(name);
    },
    ...more,
  });
  const running = (name: string, more: Partial<RunningPart<Facts>> = {}): RunningPart<Facts> => ({
    detail: `${name} detail`,
    stop: async () => {
      await sleep(5);
      events.push(`-${name}`);
    },
    ...more,
  });
  const start = (parts: readonly Part<Facts>[], signal = never) =>
    startParts({
      parts,
      report: lineReport((text) => lines.push(text)),
      logOf: (name) => `/logs/${name}.log`,
      signal,
      urgent: never,
      backoff,
    });
  return { events, lines, part, running, start };
}

describe('startParts', () => {
  it('starts side by side what can be, and stops in reverse', async () => {
    const { events, part, start } = stage();
    const started = await start([part('api', ['db', 'bus']), part('db'), part('bus'), part('ui', ['api'])]);
    expect(events).toEqual(['+db', '+bus', '+api', '+ui']);
    await started.stop(never);
    expect(events.slice(4, 6)).toEqual(['-ui', '-api']);
    expect(events.slice(6).toSorted()).toEqual(['-bus', '-db']);
  });

  it('hands on what parts tell to those that need them', async () => {
    const { part, running, start } = stage();
    let seen: Partial<Facts> = {};
    const db = part('db', [], { start: () => Promise.resolve(running('db', { facts: { url: 'u' } })) });
    const api = part('api', ['db'], {
      start: ({ facts, logPath }) => {
        seen = { ...facts, other: logPath };
        return Promise.resolve(running('api'));
      },
    });
    const started = await start([api, db]);
    expect(seen).toEqual({ url: 'u', other: '/logs/api.log' });
    expect(started.facts).toEqual({ url: 'u' });
    await started.stop(never);
  });

  it('stops everything when a required part fails, and says why', async () => {
    const { events, lines, part, start } = stage();
    const broken = part('broken', ['db'], { start: () => Promise.reject(new Error('It is broken. Mend it.')) });
    await expect(start([part('db'), part('slow'), broken, part('api', ['broken'])])).rejects.toThrow('It is broken. Mend it.');
    expect(events.toSorted()).toEqual(['+db', '+slow', '-db', '-slow']);
    expect(lines.join('')).toMatch(/✗ BROKEN .*It is broken\. Mend it\.\n/);
  });

  it('goes on without an optional part, and tries it again', async () => {
    const { events, lines, part, running, start } = stage();
    let tries = 0;
    const shy = part('shy', [], {
      optional: true,
      start: () => {
        tries += 1;
        return tries < 4 ? Promise.reject(new Error('Not yet.')) : Promise.resolve(running('shy'));
      },
    });
    const started = await start([shy, part('api', ['shy'])]);
    expect(started.degraded).toEqual(['SHY']);
    expect(events).toContain('+api');
    expect(await pollUntil(() => lines.some((line) => line.includes('✓ SHY')), { deadlineMs: 5000 })).toBe(true);
    expect(lines.filter((line) => line.includes('Not yet.'))).toHaveLength(1);
    await started.stop(never);
    expect(events).toContain('-shy');
  });

  it('starts again what ends, later and later, and leaves the others alone', async () => {
    const { events, lines, part, running, start } = stage();
    const startedAt: number[] = [];
    const frail = part('frail', ['db'], {
      start: () => {
        startedAt.push(performance.now());
        const ended = startedAt.length < 5 ? sleep(1, 'ended by SIGKILL') : new Promise<string>(() => {});
        return Promise.resolve(running('frail', { ended }));
      },
    });
    const started = await start([part('db'), frail, part('api', ['frail'])]);
    expect(await pollUntil(() => startedAt.length === 5, { deadlineMs: 5000 })).toBe(true);
    const gaps = startedAt.slice(1).map((at, index) => at - (startedAt[index] ?? 0));
    expect(gaps[0]).toBeGreaterThanOrEqual(5);
    expect(gaps[3]).toBeGreaterThanOrEqual(19);
    expect(lines.filter((line) => line.includes('FRAIL ended by SIGKILL; it is started again.'))).toHaveLength(4);
    expect(events.filter((event) => event === '+db' || event === '+api')).toEqual(['+db', '+api']);
    await started.stop(never);
    expect(events.at(-1)).toBe('-db');
  });

  it('gives up at once when nobody wants it any more', async () => {
    const { events, lines, part, start } = stage();
    const giveUp = new AbortController();
    const endless = part('endless', ['db'], {
      start: async ({ signal }) => {
        await sleep(600_000, undefined, { signal });
        throw new Error('unreachable');
      },
    });
    const starting = start([part('db'), endless, part('api', ['endless'])], giveUp.signal);
    setTimeout(() => giveUp.abort(), 30);
    await expect(starting).rejects.toThrow('The operation was aborted');
    expect(events).toEqual(['+db', '-db']);
    expect(lines.join('')).not.toContain('✗');
  });
});
