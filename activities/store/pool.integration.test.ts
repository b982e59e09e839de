import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStoreLab, testPorts, type StoreLab } from '../../test/support/api-store.ts';
import { eventually } from '../../test/support/eventually.ts';
import { admitStart } from './admission.ts';
import { ServiceVm } from './entities/service-vm.ts';
import { createPoolRecordActivities } from './pool.ts';
import { reserve } from './reservation.ts';
import { listServiceVms, publishReady } from './service-vms.ts';
import type { Store } from './store.ts';
import { publishWarm, retire } from './warm-service-vms.ts';

let lab: StoreLab;
beforeAll(async () => {
  lab = await openStoreLab();
});
afterAll(() => lab?.close());

const plan = () => createPoolRecordActivities({ store: lab.store }).planPool({ hostId: lab.hostId });

/** Brings up what is planned until nothing is. @returns ids, in order */
async function fill(): Promise<string[]> {
  const warmed: string[] = [];
  for (let { start } = await plan(); start; { start } = await plan()) {
    const { serviceVmId } = start;
    await reserve(lab.store, serviceVmId, testPorts);
    await publishWarm(lab.store, { serviceVmId, rung: 'restore', bootId: randomUUID() });
    warmed.push(serviceVmId);
  }
  return warmed;
}

const claims = (store: Store, serviceId: string, count: number) =>
  Array.from({ length: count }, () => admitStart(store, { serviceId, holder: `device:${randomUUID()}`, join: false, dialect: 'v1' }));

const askedAtOnce = async (serviceId: string, count: number) => {
  for (const { serviceVmId } of await Promise.all(claims(lab.store, serviceId, count))) {
    await reserve(lab.store, serviceVmId, testPorts);
    await publishReady(lab.store, { serviceVmId, rung: 'restore', bootId: randomUUID() });
  }
};

describe('a pool', () => {
  it('keeps one at first, and as many as were asked for at once later, up to its size', async () => {
    const serviceId = await lab.addService({ spec: { poolSize: 8 } });
    expect(await fill()).toHaveLength(1);
    await askedAtOnce(serviceId, 5);
    expect(await fill()).toHaveLength(5);
    await askedAtOnce(serviceId, 12);
    expect(await fill()).toHaveLength(8);
  });

  it('is planned one instance at a time, and a plan that was lost is found again', async () => {
    const serviceId = await lab.addService({ spec: { poolSize: 2 } });
    const [first, again] = [await plan(), await plan()];
    expect(again.start).toEqual(first.start);
    expect(first.start).toMatchObject({ serviceId });
    await reserve(lab.store, first.start!.serviceVmId, testPorts);
    expect(await plan()).toEqual({ retire: [] });
    await publishWarm(lab.store, { serviceVmId: first.start!.serviceVmId, rung: 'restore', bootId: randomUUID() });
    await fill();
  });

  it('takes no memory that is not there', async () => {
    await lab.addService({ spec: { poolSize: 2, memory: { minimumMib: 2048, idealMib: 2048 } } });
    await lab.setHost({ memoryAvailableMib: 2048 });
    expect(await plan()).toEqual({ retire: [] });
    await lab.setHost({});
    expect(await fill()).toHaveLength(1);
  });
});

describe('fifty who ask at once at two processes', () => {
  it('claim each of eight warm instances once, and the rest get new ones', async () => {
    const serviceId = await lab.addService({ spec: { poolSize: 8 } });
    await askedAtOnce(serviceId, 8);
    const warm = await fill();
    expect(warm).toHaveLength(8);
    const other = await lab.anotherStore();
    const admissions = await Promise.all([...claims(lab.store, serviceId, 25), ...claims(other, serviceId, 25)]);
    expect(new Set(admissions.map(({ serviceVmId }) => serviceVmId)).size).toBe(50);
    const claimed = admissions.filter((admission) => admission.claimed).map(({ serviceVmId }) => serviceVmId);
    expect(claimed.toSorted()).toEqual(warm.toSorted());
    const rows = await listServiceVms(lab.store, { serviceId, states: ['requested'], limit: 100 });
    expect(new Set(rows.map(({ serviceVm }) => serviceVm.startOperationId)).size).toBe(50);
  });
});

describe('a warm instance', () => {
  it('that somebody else was given the memory of while it started does not wait any more', async () => {
    await lab.addService({ spec: { poolSize: 1 } });
    const { serviceVmId } = (await plan()).start!;
    await reserve(lab.store, serviceVmId, testPorts);
    await lab.store.transaction(async (em) => retire(em, [await em.findOneOrFail(ServiceVm, { id: serviceVmId })]));
    expect(await publishWarm(lab.store, { serviceVmId, rung: 'restore', bootId: randomUUID() })).toBe('retired');
  });

  it('can be claimed while somebody else is given room that is there', async () => {
    const serviceId = await lab.addService({ spec: { poolSize: 1 } });
    await fill();
    const [asked] = await Promise.all(claims(lab.store, await lab.addService(), 1));
    const other = await lab.anotherStore();
    const reserved = await other.transaction(async (em) => {
      await em.execute('lock table port_reservations in access exclusive mode');
      const placement = reserve(lab.store, asked!.serviceVmId, testPorts);
      await eventually(async () => {
        const waiting = await em.execute(`select 1 from pg_locks where not granted and relation = 'port_reservations'::regclass`);
        if (waiting.length === 0) throw new Error('The reservation has not come to its ports');
      });
      const [admission] = await Promise.all(claims(lab.store, serviceId, 1));
      expect(admission).toMatchObject({ claimed: true });
      return { placement };
    });
    await reserved.placement;
  });
});
