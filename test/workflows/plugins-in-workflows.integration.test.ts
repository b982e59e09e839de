import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakePlugin } from '../../plugins/runtime/test-support/fake-plugins.ts';
import type { EventContext } from '../../plugins/runtime/plugin.ts';
import type { BoundHandler } from '../../workflows/contract/activities.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { PluginEventName } from '../../workflows/contract/event.ts';
import { eventually } from '../support/eventually.ts';
import type { Fault } from '../support/workflow-faults.ts';
import { newInstance, refusalOf, type TestInstance } from '../support/workflow-instance.ts';
import { openWorkflowLab, type WorkflowLab } from '../support/workflow-lab.ts';

/** What the plugin does about an event of an instance, and what it has heard. */
const scripts = new Map<string, Partial<Record<PluginEventName, (context: EventContext) => Promise<void>>>>();
const heard = new Map<string, PluginEventName[]>();

const handledEvents = ['serviceVm.provisioning', 'serviceVm.ready', 'serviceVm.stopping', 'serviceVm.stopped', 'serviceVm.failed'] as const;

const scripted = fakePlugin('scripted', (registry) => {
  for (const event of handledEvents) {
    const handle = async ({ serviceVmId }: { serviceVmId: string }, context: EventContext) => {
      heard.set(serviceVmId, [...(heard.get(serviceVmId) ?? []), event]);
      await scripts.get(serviceVmId)?.[event]?.(context);
    };
    registry.on(event, handle, { timeoutMs: 20_000, attempts: 2 });
  }
});

let lab: WorkflowLab;
beforeAll(async () => {
  lab = await openWorkflowLab({ plugins: [scripted] });
});
afterAll(() => lab?.close());

const nothingHeld = (instance: TestInstance) => eventually(async () => expect(await instance.held()).toEqual([]), 20_000);
/** Ends with its attempt, and not before. */
const neverAnswers = ({ signal }: EventContext): Promise<void> => sleep(60_000, undefined, { signal });

async function newScripted(script: NonNullable<ReturnType<typeof scripts.get>>): Promise<TestInstance> {
  const instance = await newInstance(lab);
  scripts.set(instance.serviceVmId, script);
  return instance;
}

describe.concurrent('a blocking handler', () => {
  it('vetoes a start: its reason reaches the client, and nothing was begun', async () => {
    const instance = await newScripted({
      'serviceVm.provisioning': async () => {
        throw new CloudletError('forbidden', 'Not on a Sunday.');
      },
    });
    await expect(instance.awaitReady()).rejects.toMatchObject({
      code: 'forbidden',
      message: 'The plugin scripted refused: Not on a Sunday.',
    });
    await nothingHeld(instance);
    expect(instance.plan.calls).not.toContain('cloneDisk#1');
    expect(heard.get(instance.serviceVmId)).toEqual(['serviceVm.provisioning', 'serviceVm.stopping', 'serviceVm.failed']);
  });

  it('that fails in passing is tried again', async () => {
    const failures = [new Error('Once')];
    const instance = await newScripted({
      'serviceVm.provisioning': async () => {
        const failure = failures.pop();
        if (failure) throw failure;
      },
    });
    expect(await instance.awaitReady()).toMatchObject({ rung: 'cold-boot' });
    await instance.stop();
    await nothingHeld(instance);
  });

  it('that hangs does not hold up a stop', async () => {
    const instance = await newScripted({ 'serviceVm.provisioning': neverAnswers });
    const told = refusalOf(instance.awaitReady());
    await eventually(() => expect(heard.get(instance.serviceVmId)).toEqual(['serviceVm.provisioning']));
    const began = performance.now();
    expect(await instance.stop()).toEqual({ state: 'stopped', reason: 'asked' });
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(await told).toBe('state-conflict');
    await nothingHeld(instance);
  });

  it('whose plugin is gone is skipped', async () => {
    const instance = await newInstance(lab);
    const gone: BoundHandler = { pluginId: 'removed', handler: 'serviceVm.provisioning', blocking: true, timeoutMs: 1_000, attempts: 1 };
    const namesOneMore: Fault = async ({ work }) => [gone, ...((await work()) as BoundHandler[])];
    instance.plan.inject('handlersOf#1', namesOneMore);
    await instance.awaitReady();
    expect(instance.plan.calls).toContain('runHandler#2');
    await instance.stop();
    await nothingHeld(instance);
  });
});

describe.concurrent('a notifying handler', () => {
  it('hears of everything in its order', async () => {
    const instance = await newScripted({});
    await instance.awaitReady();
    await instance.stop();
    await nothingHeld(instance);
    expect(heard.get(instance.serviceVmId)).toEqual([
      'serviceVm.provisioning',
      'serviceVm.ready',
      'serviceVm.stopping',
      'serviceVm.stopped',
    ]);
  });

  it('may throw: nobody else notices', async () => {
    const fails = async () => {
      throw new CloudletError('internal', 'Broken');
    };
    const instance = await newScripted({ 'serviceVm.ready': fails, 'serviceVm.stopping': fails, 'serviceVm.stopped': fails });
    await instance.awaitReady();
    expect(await instance.stop()).toEqual({ state: 'stopped', reason: 'asked' });
    await nothingHeld(instance);
  });

  it.each(['serviceVm.ready', 'serviceVm.stopping'] as const)(
    'that hangs on %s holds up neither a start, nor a restart, nor a stop',
    async (event) => {
      const instance = await newScripted({ [event]: neverAnswers });
      const began = performance.now();
      await instance.awaitReady();
      await eventually(() => expect(heard.get(instance.serviceVmId)).toContain('serviceVm.ready'));
      await lab.signals.guestStopped(instance.serviceVmId, lab.host.loseGuest(instance.serviceVmId));
      await eventually(async () => expect(await instance.row()).toMatchObject({ state: 'ready', restarts: 1 }));
      expect(await instance.stop()).toEqual({ state: 'stopped', reason: 'asked' });
      expect(performance.now() - began).toBeLessThan(10_000);
      expect((await instance.held()).filter((what) => what !== 'an open workflow')).toEqual([]);
      await instance.handle.terminate();
    },
  );
});
