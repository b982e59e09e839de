import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, openStoreLab, testPorts, type StoreLab } from '../../test/support/api-store.ts';
import { canFollow, serviceVmStates, type ServiceVmState } from '../../workflows/contract/service-vm.ts';
import type { Operation } from './entities/operation.ts';
import { findOperation, listOperations, recordProgress, runningOperations, settleLost } from './operations.ts';
import { readEvents } from './events.ts';
import { liveInstances } from './instances.ts';
import { reserve } from './reservation.ts';
import {
  findServiceVm,
  listServiceVms,
  publishReady,
  publishRestarting,
  publishStopping,
  recordEnd,
  retireIfUnused,
} from './service-vms.ts';

let lab: StoreLab;
let serviceId: string;
beforeAll(async () => {
  lab = await openStoreLab();
  serviceId = await lab.addService();
});
afterAll(() => lab?.close());

const bootId = randomUUID();
const stateOf = (id: string) => ask<ServiceVmState>(lab.store, 'select state from service_vms where id = ?', [id]);
const eventsOf = async (operationId: string) =>
  (await readEvents(lab.store.fork(), { after: 0, operationId, limit: 100 })).map(({ type }) => type);

/** An instance of its own in some state, as if it had come there. */
async function instanceIn(state: ServiceVmState): Promise<{ serviceVmId: string; operationId: string }> {
  const { serviceVmId, operationId } = await lab.start(serviceId, { join: false });
  await lab.store.fork().execute('update service_vms set state = ? where id = ?', [state, serviceVmId]);
  return { serviceVmId, operationId };
}

/** Every step of an instance's life, where it leads, and the states in which it has been taken already. */
const steps: readonly {
  readonly name: string;
  readonly to: ServiceVmState;
  readonly over: readonly ServiceVmState[];
  readonly take: (serviceVmId: string) => Promise<unknown>;
}[] = [
  { name: 'reserve', to: 'provisioning', over: [], take: (id) => reserve(lab.store, id, testPorts) },
  { name: 'publishReady', to: 'ready', over: [], take: (id) => publishReady(lab.store, { serviceVmId: id, rung: 'restore', bootId }) },
  { name: 'publishRestarting', to: 'provisioning', over: [], take: (id) => publishRestarting(lab.store, id, 1, 'guest-crashed') },
  { name: 'publishStopping', to: 'stopping', over: ['stopped', 'failed'], take: (id) => publishStopping(lab.store, id, 'asked') },
  {
    name: 'recordEnd (failed)',
    to: 'failed',
    over: ['stopped'],
    take: (id) => recordEnd(lab.store, id, { state: 'failed', reason: 'lost' }),
  },
];
const cases = steps.flatMap((step) => serviceVmStates.map((from) => ({ ...step, from })));

describe('a step of the life of an instance', () => {
  it.each(cases.filter(({ from, to }) => from === to || canFollow(from, to)))(
    '$name leads from $from to $to',
    async ({ from, to, take }) => {
      const { serviceVmId } = await instanceIn(from);
      await take(serviceVmId);
      expect(await stateOf(serviceVmId)).toBe(to);
    },
  );

  it.each(cases.filter(({ from, over }) => over.includes(from)))('$name leaves an instance alone that is $from', async ({ from, take }) => {
    const { serviceVmId } = await instanceIn(from);
    await take(serviceVmId);
    expect(await stateOf(serviceVmId)).toBe(from);
  });

  it.each(cases.filter(({ from, to, over }) => from !== to && !canFollow(from, to) && !over.includes(from)))(
    '$name is refused to an instance that is $from, which stays so',
    async ({ from, take }) => {
      const { serviceVmId } = await instanceIn(from);
      await expect(take(serviceVmId)).rejects.toMatchObject({ code: 'state-conflict', facts: { state: from } });
      expect(await stateOf(serviceVmId)).toBe(from);
    },
  );

  it.each(steps.filter(({ name }) => !name.startsWith('recordEnd')))('$name needs an instance', async ({ take }) => {
    await expect(take(randomUUID())).rejects.toMatchObject({ code: 'not-found' });
  });

  it.each(serviceVmStates)('the end as stopped comes from any state that lives, here %s', async (from) => {
    const { serviceVmId } = await instanceIn(from);
    await recordEnd(lab.store, serviceVmId, { state: 'stopped', reason: 'asked' });
    expect(await stateOf(serviceVmId)).toBe(from === 'failed' ? 'failed' : 'stopped');
  });
});

describe('repeating a step', () => {
  it('changes nothing: being ready', async () => {
    const { serviceVmId, operationId } = await lab.start(serviceId, { join: false });
    const placement = await reserve(lab.store, serviceVmId, testPorts);
    expect(await reserve(lab.store, serviceVmId, testPorts)).toEqual(placement);
    const ready = { serviceVmId, rung: 'restore', bootId: randomUUID() } as const;
    const first = await publishReady(lab.store, ready);
    const { readyAt, version } = (await findServiceVm(lab.store, serviceVmId))!.serviceVm;
    expect(await publishReady(lab.store, ready)).toEqual(first);
    expect((await findServiceVm(lab.store, serviceVmId))!.serviceVm).toMatchObject({ readyAt, version });
    expect(await eventsOf(operationId)).toEqual(['service-vm.requested', 'operation.succeeded', 'service-vm.ready']);
  });

  it('changes nothing: the end, with whatever outcome', async () => {
    const { serviceVmId, operationId } = await lab.start(serviceId, { join: false });
    await reserve(lab.store, serviceVmId, testPorts);
    const failure = { code: 'guest-unresponsive', detail: 'It did not answer.', facts: {} } as const;
    await recordEnd(lab.store, serviceVmId, { state: 'failed', reason: 'start-failed', error: failure });
    await recordEnd(lab.store, serviceVmId, { state: 'stopped', reason: 'asked' });
    await recordEnd(lab.store, serviceVmId, { state: 'failed', reason: 'lost' });
    expect((await findServiceVm(lab.store, serviceVmId))!.serviceVm).toMatchObject({
      state: 'failed',
      endReason: 'start-failed',
      problem: { code: 'guest-unresponsive', status: 504 },
      memoryMib: 0,
      vcpus: 0,
    });
    expect(await eventsOf(operationId)).toEqual(['service-vm.requested', 'operation.failed', 'service-vm.failed']);
    expect(await findOperation(lab.store, operationId)).toMatchObject({ state: 'failed', problem: { code: 'guest-unresponsive' } });
    for (const table of ['leases', 'port_reservations']) {
      expect(await ask(lab.store, `select count(*)::int from ${table} where service_vm_id = ?`, [serviceVmId])).toBe(0);
    }
  });

  it('changes nothing: stopping keeps its first reason', async () => {
    const { serviceVmId } = await lab.startReady(serviceId, { join: false });
    await publishStopping(lab.store, serviceVmId, 'guest-crashed');
    await publishStopping(lab.store, serviceVmId, 'asked');
    expect((await findServiceVm(lab.store, serviceVmId))!.serviceVm.endReason).toBe('guest-crashed');
  });

  it('of two ends at once, one counts', async () => {
    const { serviceVmId, operationId } = await lab.start(serviceId, { join: false });
    const other = await lab.anotherStore();
    await Promise.all([
      recordEnd(lab.store, serviceVmId, { state: 'stopped', reason: 'asked' }),
      recordEnd(other, serviceVmId, { state: 'failed', reason: 'lost' }),
    ]);
    const { state } = (await findServiceVm(lab.store, serviceVmId))!.serviceVm;
    expect((await eventsOf(operationId)).filter((type) => type.startsWith('service-vm.'))).toEqual([
      'service-vm.requested',
      `service-vm.${state}`,
    ]);
  });
});

describe('an instance', () => {
  it('that has a user is not retired; without one it is, and nobody joins it then', async () => {
    const shared = await lab.addService();
    const { serviceVmId, leaseId } = await lab.startReady(shared);
    expect(await retireIfUnused(lab.store, serviceVmId)).toBe(false);
    await lab.store.fork().execute('delete from leases where id = ?', [leaseId]);
    expect(await retireIfUnused(lab.store, serviceVmId)).toBe(true);
    expect(await retireIfUnused(lab.store, serviceVmId)).toBe(true);
    expect(await stateOf(serviceVmId)).toBe('stopping');
    expect((await lab.start(shared)).serviceVmId).not.toBe(serviceVmId);
  });

  it('is either joined or retired by those who come and go at once, never both', async () => {
    for (let round = 0; round < 10; round += 1) {
      const shared = await lab.addService();
      const { serviceVmId, leaseId } = await lab.startReady(shared);
      await lab.store.fork().execute('delete from leases where id = ?', [leaseId]);
      const [joined, retired] = await Promise.all([lab.start(shared), retireIfUnused(lab.store, serviceVmId)]);
      expect(joined.serviceVmId === serviceVmId).toBe(!retired);
    }
  });

  it('of a build is shown to nobody', async () => {
    const { serviceVmId } = await instanceIn('ready');
    await lab.store.fork().execute(`update service_vms set purpose = 'build' where id = ?`, [serviceVmId]);
    const listed = await listServiceVms(lab.store, { serviceId, limit: 1000 });
    expect(listed.map(({ serviceVm }) => serviceVm.id)).not.toContain(serviceVmId);
  });
});

describe('an instance that was asked for, and that nobody took up', () => {
  it.each(['serve', 'build', 'recipe'])('counts as left behind after a minute, of a build once that is over: %s', async (purpose) => {
    const { serviceVmId, operationId } = await lab.start(serviceId, { join: false });
    const isLeftBehind = async () => (await liveInstances(lab.store, lab.hostId)).includes(serviceVmId);
    const change = (sql: string) => lab.store.fork().execute(`update service_vms set ${sql} where id = ?`, [serviceVmId]);
    await change(`purpose = '${purpose}'`);
    expect(await isLeftBehind()).toBe(false);
    await change(`requested_at = now() - interval '2 minutes'`);
    expect(await isLeftBehind()).toBe(purpose === 'serve');
    await settleLost(lab.store, operationId);
    expect(await isLeftBehind()).toBe(true);
  });
});

describe('an operation', () => {
  it('tells how far it is, until it has ended', async () => {
    const { serviceVmId, operationId } = await lab.start(serviceId, { join: false });
    const progress = { phase: 'clone', step: 2, steps: 5, message: 'Cloning the disk' };
    await recordProgress(lab.store, operationId, progress);
    expect(await findOperation(lab.store, operationId)).toMatchObject({ state: 'running', progress });
    await recordEnd(lab.store, serviceVmId, { state: 'stopped', reason: 'asked' });
    await recordProgress(lab.store, operationId, { ...progress, step: 3 });
    expect(await findOperation(lab.store, operationId)).toMatchObject({ state: 'cancelled', progress, problem: { code: 'cancelled' } });
    expect(await eventsOf(operationId)).toEqual([
      'service-vm.requested',
      'operation.progress',
      'operation.cancelled',
      'service-vm.stopped',
    ]);
  });

  it('whose workflow is over without a word is settled, once', async () => {
    const { operationId } = await lab.start(serviceId, { join: false });
    const open = async () => (await runningOperations(lab.store)).map(({ id }) => id);
    expect(await open()).not.toContain(operationId);
    await lab.store.fork().execute(`update operations set created_at = now() - interval '2 minutes' where id = ?`, [operationId]);
    expect(await open()).toContain(operationId);
    await settleLost(lab.store, operationId);
    await settleLost(lab.store, operationId);
    expect(await open()).not.toContain(operationId);
    expect(await findOperation(lab.store, operationId)).toMatchObject({ state: 'failed', problem: { code: 'internal' } });
    expect((await eventsOf(operationId)).filter((type) => type === 'operation.failed')).toHaveLength(1);
  });

  it('is listed page by page, each once, though many are of one moment', async () => {
    await Promise.all(Array.from({ length: 12 }, () => lab.start(serviceId, { join: false })));
    await lab.store.fork().execute(`update operations set created_at = date_trunc('minute', created_at)`);
    const all = await listOperations(lab.store, { limit: 1000 });
    const paged = await everyPage(5);
    expect(paged.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
  });
});

async function everyPage(limit: number, last?: Operation): Promise<Operation[]> {
  const page = await listOperations(lab.store, { limit, ...(last ? { before: { at: last.createdAt, id: last.id } } : {}) });
  return page.length < limit ? page : [...page, ...(await everyPage(limit, page.at(-1)))];
}
