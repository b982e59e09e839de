import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endLease } from '../../activities/store/leases.ts';
import { reserve } from '../../activities/store/reservation.ts';
import { cloudletTaskQueue } from '../../workflows/contract/ids.ts';
import type { GuestStopReason, ServiceVmInput } from '../../workflows/contract/service-vm.ts';
import { eventually } from '../support/eventually.ts';
import { after, type Fault } from '../support/workflow-faults.ts';
import { fillHistory, instanceOf, join, readyInstance, refusalOf, type TestInstance } from '../support/workflow-instance.ts';
import { openWorkflowLab, type WorkflowLab } from '../support/workflow-lab.ts';
import { reconcile } from '../support/workflow-operations.ts';

let lab: WorkflowLab;
beforeAll(async () => {
  lab = await openWorkflowLab();
});
afterAll(() => lab?.close());

const nothingHeld = (instance: TestInstance) => eventually(async () => expect(await instance.held()).toEqual([]), 20_000);
/** @returns how it ended, once nothing of it is left */
const endOf = async (instance: TestInstance): Promise<string> => {
  await nothingHeld(instance);
  const { state, endReason } = await instance.row();
  return `${state}: ${endReason}`;
};
const comesBack = (instance: TestInstance, restarts: number) =>
  eventually(async () => expect(await instance.row()).toMatchObject({ state: 'ready', restarts }), 20_000);
const loseGuest = ({ serviceVmId }: TestInstance, reason?: GuestStopReason) =>
  lab.signals.guestStopped(serviceVmId, lab.host.loseGuest(serviceVmId, reason));
const usersLeft = ({ serviceVmId }: TestInstance, users = 0) => lab.signals.leasesChanged(serviceVmId, { users });

describe.concurrent('leases', () => {
  it('end the instance with its last user, and not before', async () => {
    const instance = await readyInstance(lab);
    const second = await join(lab, instance.serviceId, 'device:second');
    expect(second.joined).toBe(true);
    await endLease(lab.store, instance.leaseId);
    await usersLeft(instance);
    await instance.plan.reached('retireIfUnused#1');
    await usersLeft(instance, 1);
    expect(await instance.awaitReady()).toMatchObject({ serviceVmId: instance.serviceVmId });
    await endLease(lab.store, second.leaseId);
    await usersLeft(instance);
    expect(await endOf(instance)).toBe('stopped: last-user-left');
  });

  it('keep the instance for whoever joins just before it retires', async () => {
    const instance = await readyInstance(lab);
    let joined: Promise<{ joined: boolean }> | undefined;
    instance.plan.inject(
      'retireIfUnused#1',
      after(() => (joined = join(lab, instance.serviceId, 'device:late'))),
    );
    await endLease(lab.store, instance.leaseId);
    await usersLeft(instance);
    await eventually(() => expect(joined).toBeDefined());
    expect(await joined).toMatchObject({ joined: true });
    expect(await instance.awaitReady()).toMatchObject({ serviceVmId: instance.serviceVmId });
    expect(lab.host.boots.get(instance.serviceVmId)).toHaveLength(1);
    await instance.stop();
  });

  it('give another instance to whoever comes just after it retired', async () => {
    const instance = await readyInstance(lab);
    const { promise: another, resolve: come } = Promise.withResolvers<Awaited<ReturnType<typeof join>>>();
    const retiresFirst: Fault = async ({ work }) => {
      const retired = await work();
      come(join(lab, instance.serviceId, 'device:late'));
      await another;
      return retired;
    };
    instance.plan.inject('retireIfUnused#1', retiresFirst);
    await endLease(lab.store, instance.leaseId);
    await usersLeft(instance);
    const late = instanceOf(lab, await another);
    expect(late).toMatchObject({ joined: false });
    expect(await endOf(instance)).toBe('stopped: last-user-left');
    expect(await late.awaitReady()).toMatchObject({ serviceVmId: late.serviceVmId });
    await late.stop();
  });
});

describe.concurrent('the end of its guest', () => {
  it.each([
    { restartPolicy: 'never', reason: 'guest-crashed' },
    { restartPolicy: 'on-failure', reason: 'guest-stopped' },
  ] as const)('ends the instance under the policy $restartPolicy: $reason', async ({ restartPolicy, reason }) => {
    const instance = await readyInstance(lab, { spec: { restartPolicy } });
    await loseGuest(instance, reason);
    expect(await endOf(instance)).toBe(`stopped: ${reason}`);
  });

  it.each([
    { restartPolicy: 'on-failure', reason: 'guest-crashed' },
    { restartPolicy: 'on-failure', reason: 'host-rebooted' },
    { restartPolicy: 'always', reason: 'guest-stopped' },
  ] as const)('brings it back under the same id and ports, policy $restartPolicy: $reason', async ({ restartPolicy, reason }) => {
    const instance = await readyInstance(lab, { spec: { restartPolicy } });
    const before = await instance.awaitReady();
    await loseGuest(instance, reason);
    await comesBack(instance, 1);
    expect(await instance.awaitReady()).toEqual(before);
    expect(lab.host.boots.get(instance.serviceVmId)).toHaveLength(2);
    await instance.stop();
    await nothingHeld(instance);
  });

  it('makes those wait who come while it starts again', async () => {
    const instance = await readyInstance(lab);
    await loseGuest(instance);
    await eventually(async () => expect(await instance.row()).toMatchObject({ state: 'provisioning' }));
    const ready = await instance.awaitReady();
    expect(ready).toMatchObject({ serviceVmId: instance.serviceVmId });
    expect(await instance.row()).toMatchObject({ state: 'ready', restarts: 1 });
    await instance.stop();
  });

  it('is not mistaken for that of a former boot', async () => {
    const instance = await readyInstance(lab);
    const former = lab.host.loseGuest(instance.serviceVmId);
    await lab.signals.guestStopped(instance.serviceVmId, former);
    await comesBack(instance, 1);
    await lab.signals.guestStopped(instance.serviceVmId, former);
    await lab.signals.guestStopped(instance.serviceVmId, { ...former, bootId: randomUUID() });
    expect(await instance.stop()).toEqual({ state: 'stopped', reason: 'asked' });
    expect(lab.host.boots.get(instance.serviceVmId)).toHaveLength(2);
  });

  it('ends an instance that nobody uses, whatever the policy', async () => {
    const instance = await readyInstance(lab, { spec: { restartPolicy: 'always' } });
    await endLease(lab.store, instance.leaseId);
    await loseGuest(instance);
    expect(await endOf(instance)).toBe('stopped: guest-crashed');
  });

  it('is answered later each time, and after five restarts no more', async () => {
    const instance = await carriedOn(3);
    await loseGuest(instance);
    await eventually(async () => expect(await pausesMsOf(instance)).toEqual([8_000]));
    // It need not be waited out: a stop cuts the pause short, too.
    const began = performance.now();
    expect(await instance.stop()).toMatchObject({ state: 'stopped' });
    expect(performance.now() - began).toBeLessThan(3_000);
    await nothingHeld(instance);

    const spent = await carriedOn(5);
    await loseGuest(spent);
    expect(await endOf(spent)).toBe('stopped: guest-crashed');
    expect(await pausesMsOf(spent)).toEqual([]);
  });
});

describe.concurrent('an execution', () => {
  it('continues as new when its history grows, and undoes in the end what its former runs did', async () => {
    const instance = await readyInstance(lab);
    const before = await instance.awaitReady();
    await loseGuest(instance);
    await comesBack(instance, 1);
    await fillHistory(instance);
    expect((await instance.handle.describe()).searchAttributes).toMatchObject({ CloudletServiceVm: [instance.serviceVmId] });
    expect(await instance.awaitReady()).toEqual(before);
    expect(lab.host.boots.get(instance.serviceVmId)).toHaveLength(2);
    await loseGuest(instance);
    await comesBack(instance, 2);
    expect(await pausesMsOf(instance)).toEqual([2_000]);
    await fillHistory(instance);
    expect(await instance.stop()).toEqual({ state: 'stopped', reason: 'asked' });
    await nothingHeld(instance);
  });

  it('that Temporal cancels ends as if somebody had asked for it', async () => {
    const instance = await readyInstance(lab);
    await instance.handle.cancel();
    expect(await endOf(instance)).toBe('stopped: asked');
  });

  it('that Temporal terminates leaves its instance to the next reconciliation', async () => {
    const instance = await readyInstance(lab);
    await instance.handle.terminate();
    expect(await instance.held()).toContain('a guest that runs');
    expect(await refusalOf(instance.awaitReady())).toBe('state-conflict');
    expect(await reconcile(lab)).toMatchObject({ failed: 0 });
    expect(await instance.held()).toEqual([]);
    expect(await instance.row()).toMatchObject({ state: 'failed', endReason: 'lost' });
  });
});

/** What its present run waited for between boots. */
async function pausesMsOf({ handle }: TestInstance): Promise<number[]> {
  const { events } = await handle.fetchHistory();
  return events!.flatMap(({ timerStartedEventAttributes: timer }) => (timer ? [Number(timer.startToFireTimeout!.seconds) * 1000] : []));
}

/** A ready instance that was restarted before, without the wait for it: as if a former run had carried it over. */
async function carriedOn(restarts: number): Promise<TestInstance> {
  const instance = await readyInstance(lab);
  const { serviceVmId, serviceId, operationId, workflowId } = instance;
  const ready = await instance.awaitReady();
  const placement = { ...(await reserve(lab.store, serviceVmId, lab.portRange)), events: [] };
  const { bootId } = lab.host.guestOf(serviceVmId)!;
  await instance.handle.terminate();
  const carried = { placement, ready, bootId, restarts, readySinceMs: Date.now() };
  const input: ServiceVmInput = { serviceVmId, serviceId, purpose: 'serve', operationId, carried };
  await lab.client.workflow.start('serviceVm', { workflowId, taskQueue: cloudletTaskQueue, args: [input] });
  return instance;
}
