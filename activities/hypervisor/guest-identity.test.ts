import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { answerAsItself } from './guest-identity.ts';
import type { AgentAnswer } from './hypervisor.ts';

const serviceVmId = '01234567-89ab-4def-8123-456789abcdef';

interface Command {
  readonly execute: string;
  readonly arguments: Record<string, unknown>;
}

/** A guest whose agent answers as told, of an image that nobody knows yet unless one is named. */
function guest(answer: (command: Command, nth: number) => AgentAnswer | Promise<AgentAnswer>, image: string = randomUUID()) {
  const asked: Command[] = [];
  const identity = {
    name: 'guest',
    serviceVmId,
    image,
    hypervisor: {
      askAgent: async (_name: string, command: object) => {
        asked.push(command as Command);
        return answer(command as Command, asked.length);
      },
    },
  };
  return { asked, identity };
}

const answered = (value: unknown): AgentAnswer => ({ kind: 'answered', value: { return: value } });

describe('a guest', () => {
  it('is told the time, and runs its hook with a machine id and random bytes before it is given to anybody', async () => {
    let looks = 0;
    const { asked, identity } = guest(({ execute }) => {
      if (execute === 'guest-exec') return answered({ pid: 7 });
      if (execute === 'guest-exec-status') return answered({ exited: (looks += 1) > 1 });
      return answered({});
    });
    const before = Date.now();
    await answerAsItself(identity, async () => undefined);
    expect(asked.map(({ execute }) => execute)).toEqual(['guest-set-time', 'guest-exec', 'guest-exec-status', 'guest-exec-status']);
    expect(Number(asked[0]!.arguments['time'])).toBeGreaterThanOrEqual(before * 1e6);
    expect(asked[1]!.arguments).toMatchObject({ path: '/etc/cloudlet/refresh', arg: ['0123456789ab4def8123456789abcdef'] });
    expect(Buffer.from(asked[1]!.arguments['input-data'] as string, 'base64')).toHaveLength(32);
    expect(asked[2]!.arguments).toEqual({ pid: 7 });
  });

  it('whose agent says that the hook has ended is asked no more', async () => {
    const { asked, identity } = guest(() => answered({ pid: 1, exited: true }));
    await answerAsItself(identity, async () => undefined);
    expect(asked.map(({ execute }) => execute)).toEqual(['guest-set-time', 'guest-exec']);
  });

  it('that was paused is told the time alone', async () => {
    const { asked, identity } = guest(() => answered({}));
    await answerAsItself({ ...identity, clockAlone: true }, async () => undefined);
    expect(asked.map(({ execute }) => execute)).toEqual(['guest-set-time']);
  });

  it('whose agent is heard of a moment after its application is waited for', async () => {
    const { asked, identity } = guest((_, nth) => (nth < 3 ? { kind: 'silent' } : answered({ exited: true })));
    await answerAsItself(identity, async () => undefined);
    expect(asked.map(({ execute }) => execute)).toContain('guest-exec');
  });

  it('whose agent is silent is waited for once: the next of its image goes without, at once', async () => {
    const { image } = guest(() => ({ kind: 'silent' })).identity;
    const timesMs: number[] = [];
    for (let nth = 0; nth < 2; nth += 1) {
      const { asked, identity } = guest(() => ({ kind: 'silent' }), image);
      const beganAt = performance.now();
      await answerAsItself(identity, () => sleep(50));
      timesMs.push(performance.now() - beganAt);
      expect(asked.every(({ execute }) => execute === 'guest-set-time')).toBe(true);
    }
    const [first, second] = timesMs;
    expect(first).toBeGreaterThan(900);
    expect(second).toBeLessThan(first! / 2);
  });

  it('that can have no agent goes without, at once', async () => {
    const { asked, identity } = guest(() => ({ kind: 'absent' }));
    await answerAsItself(identity, () => sleep(50));
    expect(asked).toHaveLength(1);
  });

  it('that has no hook, or whose agent fails, is none the worse', async () => {
    const hookless = guest(({ execute }) => (execute === 'guest-exec' ? { kind: 'answered', value: undefined } : answered({})));
    const failing = guest(() => Promise.reject(new Error('gone')));
    for (const { identity } of [hookless, failing]) {
      await expect(answerAsItself(identity, async () => undefined)).resolves.toBeUndefined();
    }
  });

  it('that does not answer fails as it would have', async () => {
    const { identity } = guest(() => answered({}));
    await expect(answerAsItself(identity, () => Promise.reject(new Error('unresponsive')))).rejects.toThrow('unresponsive');
  });
});
