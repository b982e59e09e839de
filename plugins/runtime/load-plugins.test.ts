import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { CatalogueService } from '../../workflows/contract/catalogue.ts';
import { securityDecide, servicesCatalogue, type SecurityDecider } from './extension-points.ts';
import type { ConfiguredPlugin } from './import-plugin.ts';
import { loadPlugins } from './load-plugins.ts';
import type { LifecycleHooks, Plugin, PluginRegistry } from './plugin.ts';
import type { PluginHost } from './plugin-host.ts';
import { fakePlugin, loadFakes, recordingLog } from './test-support/fake-plugins.ts';

const allow: SecurityDecider = { decide: () => ({ allow: true }) };
const forever = (): Promise<never> => new Promise(() => undefined);

// What plain JavaScript can do although the type forbids it.
const asyncRegister = (() => Promise.reject(new Error('late'))) as unknown as Plugin['register'];

/** Contributes to a point of the API, so that the API starts it. */
const decider = (id: string, hooks: LifecycleHooks = {}, dependsOn: readonly string[] = []): Plugin =>
  fakePlugin(
    id,
    (registry) => {
      registry.contribute(securityDecide, allow);
      registry.lifecycle(hooks);
    },
    { dependsOn },
  );

const statesOf = async (host: PluginHost): Promise<Record<string, string>> =>
  Object.fromEntries((await host.report()).map(({ id, state }) => [id, state]));
const detailOf = async (host: PluginHost, id: string): Promise<string | undefined> =>
  (await host.report()).find((report) => report.id === id)?.detail;
const testFile = (name: string): string => new URL(`./test-support/${name}`, import.meta.url).pathname;

describe('loading', () => {
  const load = (configured: readonly ConfiguredPlugin[], startTimeoutMs?: number): Promise<PluginHost> =>
    loadPlugins({ configured, process: 'api', log: recordingLog().log, ...(startTimeoutMs === undefined ? {} : { startTimeoutMs }) });

  it('imports a third-party plugin from where the configuration says, with its options', async () => {
    const host = await load([{ name: 'third-party', module: testFile('third-party-plugin.ts'), options: { allow: true } }]);
    const [contributed] = host.contributions(securityDecide);
    expect(contributed?.pluginId).toBe('third-party');
    expect(contributed?.contribution.decide({ kind: 'anonymous', address: '192.0.2.1' }, 'service.list', {})).toEqual({ allow: true });
    expect((await host.report())[0]).toMatchObject({ title: 'Third party', version: '2.1.0', contributes: ['security.decide'] });
  });

  it.each([
    ['a folder that is not there', { name: 'no-such-plugin' }, 'There is no folder plugins/no-such-plugin'],
    ['a file that is not there', { name: 'gone', module: testFile('gone.ts') }, 'Check "module"'],
    ['a package that is not installed', { name: 'gone', module: '@acme/no-such-package' }, '@acme/no-such-package'],
    ['a module that throws', { name: 'broken', module: testFile('throws-on-import.ts') }, 'no such device'],
    ['a module that exports no plugin', { name: 'none', module: testFile('fake-plugins.ts') }, 'exports no plugin'],
    ['another name than its own', { name: 'renamed', module: testFile('third-party-plugin.ts') }, 'calls itself "third-party"'],
    ['options it does not know', { name: 'third-party', module: testFile('third-party-plugin.ts'), options: { allw: true } }, '/allw'],
  ])('reports %s and serves on', async (_case, configured, detail) => {
    const host = await load([configured]);
    expect(await host.report()).toMatchObject([{ id: configured.name, state: 'failed', contributes: [] }]);
    expect(await detailOf(host, configured.name)).toContain(detail);
    expect(host.contributions(securityDecide)).toEqual([]);
  });

  it('reports a module that never loads and serves on', async () => {
    const host = await load([{ name: 'slow', module: testFile('hangs-on-import.ts') }], 100);
    expect(await detailOf(host, 'slow')).toContain('did not finish loading within 0.1 s');
  });

  it.each([
    [[{ name: '../../etc' }], '/0/name'],
    [[{ name: 'audit' }, { name: 'audit' }], '/1/name'],
  ])('refuses a list that cannot be meant: %j', async (configured, pointer) => {
    const refusal = await load(configured).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(CloudletError);
    expect(refusal).toMatchObject({ code: 'invalid-input', facts: { errors: [{ pointer }] } });
  });
});

describe('isolation', () => {
  const failures: readonly [string, Plugin, string][] = [
    [
      'throws in register',
      fakePlugin('bad', (registry) => {
        registry.contribute(securityDecide, allow);
        throw new Error('register broke');
      }),
      'register broke',
    ],
    ['throws in start', decider('bad', { start: () => Promise.reject(new Error('start broke')) }), 'start broke'],
    [
      'throws something that is no error',
      decider('bad', {
        start() {
          // oxlint-disable-next-line typescript/only-throw-error, no-throw-literal -- a plugin may throw anything
          throw 'a string';
        },
      }),
      'a string',
    ],
    ['hangs in start', decider('bad', { start: forever }), 'start() did not finish within 0.05 s'],
    ['registers asynchronously', fakePlugin('bad', asyncRegister), 'asynchronous'],
    [
      'contributes nothing',
      fakePlugin('bad', (registry) => registry.contribute(securityDecide, undefined as never)),
      'contributed nothing',
    ],
    ['gives hooks twice', fakePlugin('bad', (registry) => [1, 2].forEach(() => registry.lifecycle({}))), 'lifecycle() twice'],
    [
      'gives a hook that is no function',
      fakePlugin('bad', (registry) => registry.lifecycle({ start: 7 as never })),
      'start is not a function',
    ],
    ['binds no function', fakePlugin('bad', (registry) => registry.on('host.up', 7 as never)), 'host.up is not a function'],
    [
      'sets an impossible policy',
      fakePlugin('bad', (registry) => registry.on('host.up', async () => undefined, { attempts: 0 })),
      'attempts',
    ],
    ['needs what is not configured', decider('bad', {}, ['absent']), 'absent'],
    ['needs itself', decider('bad', {}, ['bad']), 'circle'],
  ];

  it.each(failures)('leaves out a plugin that %s, with those that depend on it; the others run', async (_case, bad, cause) => {
    const { log, lines } = recordingLog();
    const host = await loadFakes([decider('dependent', {}, ['bad']), bad, decider('good')], { log });
    expect(await statesOf(host)).toEqual({ bad: 'failed', dependent: 'blocked', good: 'running' });
    expect(await detailOf(host, 'bad')).toContain(cause);
    expect(await detailOf(host, 'dependent')).toContain('needs bad, which is failed');
    expect(host.contributions(securityDecide).map(({ pluginId }) => pluginId)).toEqual(['good']);
    expect(lines).toContainEqual(expect.objectContaining({ level: 'error', facts: expect.objectContaining({ plugin: 'bad' }) }));
    await host.stop();
  });

  it.each(failures)('refuses to start when a required plugin %s, naming it and the cause', async (_case, bad, cause) => {
    const stopped = vi.fn<() => Promise<void>>(async () => undefined);
    const loading = loadFakes([decider('good', { stop: stopped }), bad], { required: ['bad'] });
    await expect(loading).rejects.toThrow(CloudletError);
    await expect(loading).rejects.toThrow(/Plugin "bad" is required and is failed: /);
    await expect(loading).rejects.toThrow(cause);
    expect(stopped).toHaveBeenCalledOnce();
  });

  it('refuses to start when what a required plugin needs failed', async () => {
    const loading = loadFakes([decider('base', { start: () => Promise.reject(new Error('boom')) }), decider('top', {}, ['base'])], {
      required: ['top'],
    });
    await expect(loading).rejects.toThrow('Plugin "top" is required and is blocked: It needs base, which is failed.');
  });

  it('names every plugin of a circle', async () => {
    const host = await loadFakes([decider('a', {}, ['b']), decider('b', {}, ['a']), decider('c')]);
    expect(await statesOf(host)).toEqual({ a: 'failed', b: 'failed', c: 'running' });
    expect(await detailOf(host, 'a')).toMatch(/need each other: (a, b|b, a)\./);
  });

  it('undoes a start that succeeds after its time', async () => {
    const late = Promise.withResolvers<void>();
    const stop = vi.fn<() => Promise<void>>(async () => undefined);
    let told: AbortSignal | undefined;
    const start: LifecycleHooks['start'] = ({ signal }) => {
      told = signal;
      return late.promise;
    };
    const host = await loadFakes([decider('late', { start, stop })]);
    expect(told?.aborted).toBe(true);
    expect(stop).not.toHaveBeenCalled();
    late.resolve();
    await vi.waitFor(() => expect(stop).toHaveBeenCalledOnce());
    await host.stop();
    expect(stop).toHaveBeenCalledOnce();
    expect(await statesOf(host)).toEqual({ late: 'failed' });
  });

  it('does not let one that hangs hold up those that do not need it', async () => {
    const slow = Promise.withResolvers<void>();
    const started = vi.fn<() => Promise<void>>(async () => undefined);
    const loading = loadFakes([decider('slow', { start: () => slow.promise }), decider('good', { start: started })], {
      startTimeoutMs: 10_000,
    });
    await vi.waitFor(() => expect(started).toHaveBeenCalledOnce());
    slow.resolve();
    expect(await statesOf(await loading)).toEqual({ slow: 'running', good: 'running' });
  });

  it('does not let a plugin declare anything after register', async () => {
    let kept: PluginRegistry | undefined;
    await loadFakes([fakePlugin('keeps', (registry) => void (kept = registry))]);
    expect(() => kept?.contribute(securityDecide, allow)).toThrow('declare everything in register()');
  });
});

describe('lifecycle', () => {
  it('starts each after what it needs, stops in reverse, and aborts its signal first', async () => {
    const calls: string[] = [];
    const hooks = (id: string): LifecycleHooks => ({
      async start({ signal }) {
        // The one that others need is the slowest.
        await delay(id === 'base' ? 20 : 1);
        calls.push(`start ${id}`);
        signal.addEventListener('abort', () => calls.push(`abort ${id}`));
      },
      async stop() {
        calls.push(`stop ${id}`);
      },
    });
    const top = decider('top', hooks('top'), ['middle']);
    const host = await loadFakes([top, decider('middle', hooks('middle'), ['base']), decider('base', hooks('base'))], {
      startTimeoutMs: 10_000,
    });
    expect(host.contributions(securityDecide).map(({ pluginId }) => pluginId)).toEqual(['base', 'middle', 'top']);
    await host.stop();
    await host.stop();
    const stops = ['top', 'middle', 'base'].flatMap((id) => [`abort ${id}`, `stop ${id}`]);
    expect(calls).toEqual(['start base', 'start middle', 'start top', ...stops]);
    expect(host.contributions(securityDecide)).toEqual([]);
  });

  it.each([
    ['throws', () => Promise.reject(new Error('stop broke'))],
    ['hangs', forever],
  ])('stops the others when one %s in stop', async (_case, stop) => {
    const { log, lines } = recordingLog();
    const other = vi.fn<() => Promise<void>>(async () => undefined);
    const host = await loadFakes([decider('other', { stop: other }), decider('bad', { stop })], { log });
    await host.stop();
    expect(other).toHaveBeenCalledOnce();
    expect(lines).toMatchObject([{ level: 'error', facts: { plugin: 'bad' } }]);
  });

  it('keeps the hooks of a class instance bound to it', async () => {
    class Hooks implements LifecycleHooks {
      readonly #calls: string[] = [];
      async start(): Promise<void> {
        this.#calls.push('start');
      }
      health(): { state: 'degraded'; detail: string } {
        return { state: 'degraded', detail: this.#calls.join() };
      }
    }
    expect(await detailOf(await loadFakes([decider('own', new Hooks())]), 'own')).toBe('start');
  });
});

describe('processes', () => {
  const start = vi.fn<() => Promise<void>>(async () => undefined);
  const both = (): Plugin =>
    fakePlugin('both', (registry) => {
      registry.contribute(securityDecide, allow);
      registry.on('host.up', async () => undefined);
      registry.lifecycle({ start });
    });

  it('uses in the API what belongs to the API', async () => {
    const host = await loadFakes([both()]);
    expect(await host.report()).toMatchObject([{ process: 'api', contributes: ['security.decide'], handles: [] }]);
    expect(host.handlersOf('host.up')).toEqual([]);
    expect(() => host.contributions(servicesCatalogue)).toThrow('belongs to the worker process');
  });

  it('uses in the worker its handlers', async () => {
    const host = await loadFakes([both()], { process: 'worker' });
    expect(await host.report()).toMatchObject([{ process: 'worker', state: 'running', contributes: [], handles: ['host.up'] }]);
    expect(start).toHaveBeenCalledOnce();
  });

  it('starts nothing where nothing of a plugin is used', async () => {
    const service = { assemble: forever } as unknown as CatalogueService;
    const plugin = fakePlugin('samples', (registry) => {
      registry.contribute(servicesCatalogue, service);
      registry.lifecycle({ start });
    });
    expect(await statesOf(await loadFakes([plugin]))).toEqual({ samples: 'idle' });
    expect(start).not.toHaveBeenCalled();
    expect((await loadFakes([plugin], { process: 'worker' })).contributions(servicesCatalogue)).toEqual([
      { pluginId: 'samples', contribution: service },
    ]);
  });
});

describe('health', () => {
  it.each([
    ['healthy', () => ({ state: 'healthy' as const }), 'running', ''],
    ['degraded', async () => ({ state: 'degraded' as const, detail: 'No network.' }), 'degraded', 'No network.'],
    ['broken', () => Promise.reject(new Error('health broke')), 'degraded', 'health broke'],
    ['silent', forever, 'degraded', 'no answer within 0.05 s'],
    ['nonsense', () => 'fine' as never, 'degraded', 'no answer that this cloudlet understands'],
  ])('shows a plugin whose health check is %s', async (_case, health, state, detail) => {
    const host = await loadFakes([decider('own', { health })]);
    expect((await host.report())[0]?.state).toBe(state);
    expect(await detailOf(host, 'own')).toContain(detail);
  });

  it('keeps the moment at which the state changed', async () => {
    let isHealthy = true;
    const health: LifecycleHooks['health'] = () => (isHealthy ? { state: 'healthy' } : { state: 'degraded', detail: 'Ill.' });
    const host = await loadFakes([decider('own', { health })]);
    const sinceOf = async (): Promise<string | undefined> => (await host.report())[0]?.since;
    const first = await sinceOf();
    await delay(5);
    expect(await sinceOf()).toBe(first);
    isHealthy = false;
    const second = await sinceOf();
    expect(second).not.toBe(first);
    expect(await sinceOf()).toBe(second);
  });
});
