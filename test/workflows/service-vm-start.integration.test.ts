import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Operation } from '../../activities/store/entities/operation.ts';
import { isWorkflowOpen } from '../../temporal/client/workflow-directory.ts';
import { eventually } from '../support/eventually.ts';
import { after, failsForGood, hangs, worksThenHangs, type CallKey } from '../support/workflow-faults.ts';
import { newInstance, readyInstance, refusalOf, type TestInstance } from '../support/workflow-instance.ts';
import { openWorkflowLab, type WorkflowLab } from '../support/workflow-lab.ts';

let lab: WorkflowLab;
beforeAll(async () => {
  lab = await openWorkflowLab();
});
afterAll(() => lab?.close());

const nothingHeld = (instance: TestInstance) => eventually(async () => expect(await instance.held()).toEqual([]));

/** @returns how long the work took */
async function durationMsOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

describe.concurrent('those who wait for a start', () => {
  it('share one update for each process: two hundred in one, and nine other processes', async () => {
    const instance = await newInstance(lab);
    const { promise: mayBoot, resolve: boot } = Promise.withResolvers<void>();
    instance.plan.inject(
      'bootGuest#1',
      after(() => mayBoot),
    );
    const starter = lab.newStarter();
    const waiting = [...Array.from({ length: 200 }, () => starter.awaitReady(instance)), ...Array.from({ length: 9 }, instance.awaitReady)];
    await instance.plan.reached('bootGuest#1');
    boot();
    const answers = await Promise.all(waiting);
    expect(new Set(answers.map(({ ports }) => ports[0]!.hostPort)).size).toBe(1);
    const { events } = await instance.handle.fetchHistory();
    expect(events!.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes).length).toBe(10);
    expect(lab.host.boots.get(instance.serviceVmId)).toHaveLength(1);
    await instance.stop();
  });

  it('are told at once of what it failed, though undoing it takes long', async () => {
    const instance = await newInstance(lab);
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
    instance.plan.inject('bootGuest#1', failsForGood('hypervisor-refused')).inject(
      'destroyGuest#1',
      after(() => mayEnd),
    );
    expect(await refusalOf(instance.awaitReady())).toBe('hypervisor-refused');
    expect(await isWorkflowOpen(lab.client, instance.workflowId)).toBe(true);
    end();
    await nothingHeld(instance);
  });

  it('are told the same when they come after all is over', async () => {
    const failed = await newInstance(lab);
    failed.plan.inject('reserve#1', failsForGood('capacity-exhausted'));
    expect(await refusalOf(failed.awaitReady())).toBe('capacity-exhausted');
    await nothingHeld(failed);
    expect(await refusalOf(failed.awaitReady())).toBe('capacity-exhausted');

    const stopped = await readyInstance(lab);
    await stopped.stop();
    await nothingHeld(stopped);
    expect(await refusalOf(stopped.awaitReady())).toBe('state-conflict');
    expect(await refusalOf(stopped.stop())).toBe('state-conflict');
    expect(lab.host.boots.get(stopped.serviceVmId)).toHaveLength(1);
  });
});

describe.concurrent('a stop while it starts', () => {
  /** What runs on a host hears of it with its next heartbeat; a call of the database with the next workflow task. */
  const provisioning: readonly (readonly [CallKey, { saved: boolean }, withinMs: number])[] = [
    ['reserve#1', { saved: false }, 10_000],
    ['cloneDisk#1', { saved: false }, 3_000],
    ['bootGuest#1', { saved: false }, 3_000],
    ['awaitGuest#1', { saved: false }, 3_000],
    ['publishReady#1', { saved: false }, 10_000],
    ['restoreGuest#1', { saved: true }, 3_000],
  ];

  it.each(provisioning)('cuts %s short and undoes everything, with %o', async (call, service, withinMs) => {
    const instance = await newInstance(lab, service);
    instance.plan.inject(call, hangs);
    const told = refusalOf(instance.awaitReady());
    await instance.plan.reached(call);
    expect(await durationMsOf(instance.stop)).toBeLessThan(withinMs);
    expect(await told).toBe('state-conflict');
    await nothingHeld(instance);
    expect(await instance.row()).toMatchObject({ state: 'stopped', endReason: 'asked' });
    const operations = await lab.store.fork().find(Operation, { workflowId: instance.workflowId }, { orderBy: { kind: 'asc' } });
    expect(operations.map(({ kind, state }) => [kind, state])).toEqual([
      ['service-vm.start', 'cancelled'],
      ['service-vm.stop', 'succeeded'],
    ]);
  });

  it('is answered to everybody who asked, however often', async () => {
    const instance = await newInstance(lab);
    instance.plan.inject('awaitGuest#1', hangs);
    const told = refusalOf(instance.awaitReady());
    await instance.plan.reached('awaitGuest#1');
    const outcomes = await Promise.all([instance.stop(), instance.stop(), instance.stop()]);
    expect(new Set(outcomes.map(({ state }) => state))).toEqual(new Set(['stopped']));
    expect(await told).toBe('state-conflict');
    await nothingHeld(instance);
  });
});

describe.concurrent('a guest that goes while it is probed', () => {
  it('ends the start at once: nobody waits for the probe', async () => {
    const instance = await newInstance(lab);
    instance.plan.inject('awaitGuest#1', hangs);
    const told = refusalOf(instance.awaitReady());
    await instance.plan.reached('awaitGuest#1');
    await lab.signals.guestStopped(instance.serviceVmId, lab.host.loseGuest(instance.serviceVmId));
    expect(await durationMsOf(() => told)).toBeLessThan(3_000);
    expect(await told).toBe('guest-unresponsive');
    await nothingHeld(instance);
  });

  it('makes a restore fall to a cold boot', async () => {
    const instance = await newInstance(lab, { saved: true });
    instance.plan.inject('restoreGuest#1', worksThenHangs);
    const ready = instance.awaitReady();
    await eventually(() => {
      if (!lab.host.guestOf(instance.serviceVmId)) throw new Error('The guest does not run yet');
    });
    await lab.signals.guestStopped(instance.serviceVmId, lab.host.loseGuest(instance.serviceVmId));
    expect(await ready).toMatchObject({ rung: 'cold-boot' });
    expect(await instance.row()).toMatchObject({ state: 'ready', rung: 'cold-boot', restarts: 0 });
    await instance.stop();
    await nothingHeld(instance);
  });
});

describe.concurrent('Temporal', () => {
  it.each(['bootGuest#1', 'awaitGuest#1'] as const)('may cancel the execution at %s as if somebody had asked for a stop', async (call) => {
    const instance = await newInstance(lab);
    instance.plan.inject(call, hangs);
    const told = refusalOf(instance.awaitReady());
    await instance.plan.reached(call);
    await instance.handle.cancel();
    expect(await told).toBe('state-conflict');
    await nothingHeld(instance);
    expect(await instance.row()).toMatchObject({ state: 'stopped', endReason: 'asked' });
  });
});
