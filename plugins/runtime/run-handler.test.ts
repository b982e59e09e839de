import { describe, expect, it } from 'vitest';
import type { PluginEventName } from '../../workflows/contract/event.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { EventHandler, HandlerPolicy } from './plugin.ts';
import type { PluginHost } from './plugin-host.ts';
import { fakePlugin, loadFakes, recordingLog } from './test-support/fake-plugins.ts';

const ready = { serviceVmId: 'v', serviceId: 's', hostId: 'h' };

const hostWith = <Name extends PluginEventName>(event: Name, handler: EventHandler<Name>, policy?: HandlerPolicy): Promise<PluginHost> =>
  loadFakes([fakePlugin('own', (registry) => registry.on(event, handler, policy))], { process: 'worker' });

const run = (host: PluginHost, facts: Partial<Parameters<PluginHost['runHandler']>[0]> = {}): Promise<unknown> =>
  host.runHandler({ pluginId: 'own', handler: 'serviceVm.ready', event: 'serviceVm.ready', payload: ready, ...facts });

describe('handlersOf', () => {
  it('describes the handlers of an event, with their policy or the default', async () => {
    const host = await loadFakes(
      [
        fakePlugin('own', (registry) => {
          registry.on('serviceVm.provisioning', async () => undefined, { timeoutMs: 500, attempts: 1 });
          registry.on('serviceVm.provisioning', async () => undefined);
          registry.on('host.up', async () => undefined);
        }),
      ],
      { process: 'worker' },
    );
    expect(host.handlersOf('serviceVm.provisioning')).toEqual([
      { pluginId: 'own', handler: 'serviceVm.provisioning', blocking: true, timeoutMs: 500, attempts: 1 },
      { pluginId: 'own', handler: 'serviceVm.provisioning#2', blocking: true, timeoutMs: 10_000, attempts: 3 },
    ]);
    expect(host.handlersOf('host.up')).toMatchObject([{ blocking: false }]);
    expect(host.handlersOf('host.down')).toEqual([]);
  });
});

describe('runHandler', () => {
  it('gives the handler the payload', async () => {
    const seen: unknown[] = [];
    const host = await hostWith('serviceVm.ready', async (event) => void seen.push(event));
    expect(await run(host)).toEqual({});
    expect(seen).toEqual([ready]);
  });

  it.each([
    ['a plugin that is gone', { pluginId: 'gone' }, 'no plugin "gone"'],
    ['a handler that is gone', { handler: 'serviceVm.ready#2' }, 'no handler "serviceVm.ready#2"'],
    ['a handler of another event', { event: 'host.up' as const }, 'of host.up'],
  ])('skips %s', async (_case, call, reason) => {
    const host = await hostWith('serviceVm.ready', () => Promise.reject(new Error('must not run')));
    expect(await run(host, call)).toEqual({ skipped: expect.stringContaining(reason) });
  });

  it('skips a plugin that failed to start, and one that was stopped', async () => {
    const failing = fakePlugin('own', (registry) => {
      registry.on('serviceVm.ready', () => Promise.reject(new Error('must not run')));
      registry.lifecycle({ start: () => Promise.reject(new Error('boom')) });
    });
    expect(await run(await loadFakes([failing], { process: 'worker' }))).toHaveProperty('skipped');
    const stopped = await hostWith('serviceVm.ready', () => Promise.reject(new Error('must not run')));
    await stopped.stop();
    expect(await run(stopped)).toHaveProperty('skipped');
  });

  it('hands on what a handler throws, and shows it until the handler succeeds again', async () => {
    let fails = true;
    const { log, lines } = recordingLog();
    const plugin = fakePlugin('own', (registry) =>
      registry.on('serviceVm.ready', async () => {
        if (fails) throw new Error('handler broke');
      }),
    );
    const host = await loadFakes([plugin], { process: 'worker', log });
    await expect(run(host)).rejects.toThrow('handler broke');
    expect(await host.report()).toMatchObject([{ state: 'degraded', detail: 'Its handler serviceVm.ready failed: handler broke' }]);
    expect(lines).toMatchObject([{ level: 'error', facts: { plugin: 'own', handler: 'serviceVm.ready' } }]);
    fails = false;
    await run(host);
    expect(await host.report()).toMatchObject([{ state: 'running', detail: '' }]);
  });

  it('ends a handler that hangs, and tells it', async () => {
    let told: AbortSignal | undefined;
    const hangs: EventHandler<'serviceVm.ready'> = (_event, { signal }) => {
      told = signal;
      return new Promise(() => undefined);
    };
    const host = await hostWith('serviceVm.ready', hangs, { timeoutMs: 20 });
    await expect(run(host)).rejects.toThrow('Plugin "own" did not finish its handler serviceVm.ready within 0.02 s.');
    expect(told?.aborted).toBe(true);
    expect(await host.report()).toMatchObject([{ state: 'degraded' }]);
  });

  it('counts neither a veto nor a cancellation against the plugin', async () => {
    const veto = new CloudletError('forbidden', 'Not on Sundays.');
    const vetoing = await hostWith('serviceVm.provisioning', () => Promise.reject(veto));
    await expect(run(vetoing, { event: 'serviceVm.provisioning', handler: 'serviceVm.provisioning' })).rejects.toBe(veto);
    expect(await vetoing.report()).toMatchObject([{ state: 'running' }]);

    const hanging = await hostWith('serviceVm.ready', () => new Promise(() => undefined));
    const cancel = new AbortController();
    const running = run(hanging, { signal: cancel.signal });
    cancel.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
    expect(await hanging.report()).toMatchObject([{ state: 'running' }]);
  });

  it('lets go of a running handler when the host stops', async () => {
    const host = await hostWith('serviceVm.ready', () => new Promise(() => undefined));
    const running = run(host);
    await Promise.all([expect(running).rejects.toThrow('Plugin "own" is stopping.'), host.stop()]);
  });
});
