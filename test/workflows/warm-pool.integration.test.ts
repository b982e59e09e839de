import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { admitStart } from '../../activities/store/admission.ts';
import { keepPool } from '../../activities/hypervisor/pool-keeper.ts';
import { ServiceVm } from '../../activities/store/entities/service-vm.ts';
import { overheadMib } from '../../activities/store/hosts.ts';
import { endLease, sweepLeases } from '../../activities/store/leases.ts';
import { startFillingPool } from '../../temporal/client/start-filling-pool.ts';
import { eventually } from '../support/eventually.ts';
import { fillPool, warmOf, warmService } from '../support/warm-instances.ts';
import { failsForGood, worksThenHangs } from '../support/workflow-faults.ts';
import { heldBy } from '../support/workflow-invariants.ts';
import { instanceOf, type TestInstance } from '../support/workflow-instance.ts';
import { openWorkflowLab, type WorkflowLab } from '../support/workflow-lab.ts';
import { reconcile } from '../support/workflow-operations.ts';
import { insertService } from '../support/workflow-services.ts';

let lab: WorkflowLab;
beforeAll(async () => {
  lab = await openWorkflowLab();
});
afterAll(() => lab?.close());
afterEach(async () => {
  await lab.store.fork().execute(`update services set spec = spec - 'poolSize'`);
  await fillPool(lab);
});

const claim = async (serviceId: string, holder = `device:${randomUUID()}`): Promise<TestInstance> =>
  instanceOf(lab, await admitStart(lab.store, { serviceId, holder, join: false, dialect: 'v1' }));
const rowOf = (id: string) => lab.store.fork().findOneOrFail(ServiceVm, { id });
const nothingHeld = ({ held }: TestInstance) => eventually(async () => expect(await held()).toEqual([]));
const watch = () =>
  keepPool({ hostId: lab.hostId, store: lab.store, signals: lab.signals, fillPool: (hostId) => startFillingPool(lab.client, hostId) });

describe('a warm instance', () => {
  it('waits paused, is claimed once, and serves as the instance that it is', async () => {
    const serviceId = await warmService(lab, { saved: true });
    const [warm] = await warmOf(lab, serviceId);
    expect(lab.host.guestOf(warm!.id)).toMatchObject({ running: false, bootId: warm!.bootId });
    const claimed = await claim(serviceId);
    expect(claimed).toMatchObject({ serviceVmId: warm!.id, joined: false, claimed: true });
    expect((await claim(serviceId)).serviceVmId).not.toBe(warm!.id);
    expect(await claimed.awaitReady()).toMatchObject({ serviceVmId: warm!.id, rung: 'claim' });
    expect(lab.host.guestOf(warm!.id)).toMatchObject({ running: true, bootId: warm!.bootId });
    expect(await claimed.row()).toMatchObject({ state: 'ready', purpose: 'serve', rung: 'claim' });
    expect(lab.host.boots.get(warm!.id)).toHaveLength(1);
    await endLease(lab.store, claimed.leaseId);
    await lab.signals.leasesChanged(claimed.serviceVmId, { users: 0 });
    await nothingHeld(claimed);
  });

  it('is not ended for want of users, however often the host looks', async () => {
    const serviceId = await warmService(lab);
    const [warm] = await warmOf(lab, serviceId);
    expect(await sweepLeases(lab.store)).not.toContain(warm!.id);
    await lab.signals.leasesChanged(warm!.id, { users: 0 });
    await watch();
    await reconcile(lab);
    expect(await claim(serviceId)).toMatchObject({ serviceVmId: warm!.id, claimed: true });
    expect(await rowOf(warm!.id)).toMatchObject({ state: 'requested' });
  });

  it('is heard of by its workflow though whoever claimed it died of it', async () => {
    const serviceId = await warmService(lab);
    const { serviceVmId } = await claim(serviceId);
    await eventually(async () => {
      await watch();
      expect(await rowOf(serviceVmId)).toMatchObject({ state: 'ready', rung: 'claim' });
    });
  });

  it.each(['restore', 'cold-boot'] as const)('that does not go on is started again by %s, under the same id', async (rung) => {
    const serviceId = await warmService(lab, { saved: rung === 'restore' });
    const claimed = await claim(serviceId);
    lab.faults.of(claimed.workflowId).inject('claimGuest#1', failsForGood('guest-unresponsive'));
    expect(await claimed.awaitReady()).toMatchObject({ serviceVmId: claimed.serviceVmId, rung });
    expect(lab.host.boots.get(claimed.serviceVmId)).toHaveLength(2);
    await claimed.stop();
    await nothingHeld(claimed);
  });

  it('whose guest dies before it is claimed ends, and is replaced', async () => {
    const serviceId = await warmService(lab);
    const [warm] = await warmOf(lab, serviceId);
    await lab.signals.guestStopped(warm!.id, lab.host.loseGuest(warm!.id));
    await eventually(async () => expect(await rowOf(warm!.id)).toMatchObject({ state: 'stopped', endReason: 'guest-crashed' }));
    await fillPool(lab);
    expect(await warmOf(lab, serviceId)).toHaveLength(1);
  });

  it('whose guest died unseen serves all the same, by the next rung', async () => {
    const serviceId = await warmService(lab);
    const claimed = await claim(serviceId);
    const news = lab.host.loseGuest(claimed.serviceVmId);
    const ready = claimed.awaitReady();
    await lab.signals.guestStopped(claimed.serviceVmId, news);
    expect(await ready).toMatchObject({ rung: 'cold-boot' });
    await claimed.stop();
  });

  it('whose workflow was terminated serves all the same when it is claimed, by the next rung', async () => {
    const serviceId = await warmService(lab);
    const [warm] = await warmOf(lab, serviceId);
    await lab.client.workflow.getHandle(warm!.workflowId).terminate();
    const claimed = await claim(serviceId);
    expect(claimed.serviceVmId).toBe(warm!.id);
    expect(await claimed.awaitReady()).toMatchObject({ rung: 'cold-boot' });
    await claimed.stop();
    await nothingHeld(claimed);
  });

  it('whose workflow was terminated is retired by the next reconciliation', async () => {
    const serviceId = await warmService(lab);
    const [warm] = await warmOf(lab, serviceId);
    await lab.client.workflow.getHandle(warm!.workflowId).terminate();
    await reconcile(lab);
    expect(await rowOf(warm!.id)).toMatchObject({ state: 'failed', endReason: 'lost' });
    expect(await heldBy(lab, [warm!.workflowId])).toEqual([]);
  });

  it('is ended by an admin like any other', async () => {
    const serviceId = await warmService(lab);
    const [warm] = await warmOf(lab, serviceId);
    const { ended } = await lab.newStarter().stop(warm!.id, { by: 'test' });
    expect(await ended).toEqual({ state: 'stopped', reason: 'asked' });
    expect(await heldBy(lab, [warm!.workflowId])).toEqual([]);
  });
});

describe('twenty claims at once on a pool of eight', () => {
  it('give eight to eight users, and the next rung to the rest', async () => {
    const serviceId = await warmService(lab, { saved: true }, 8);
    const warm = new Set((await warmOf(lab, serviceId)).map(({ id }) => id));
    expect(warm.size).toBe(8);
    const claims = await Promise.all(Array.from({ length: 20 }, () => claim(serviceId)));
    expect(new Set(claims.map(({ serviceVmId }) => serviceVmId)).size).toBe(20);
    expect(new Set(claims.filter(({ claimed }) => claimed).map(({ serviceVmId }) => serviceVmId))).toEqual(warm);
    const rungs = (await Promise.all(claims.map(({ awaitReady }) => awaitReady()))).map(({ rung }) => rung);
    expect(Map.groupBy(rungs, (rung) => rung).get('claim')).toHaveLength(8);
    expect(rungs.filter((rung) => rung === 'restore')).toHaveLength(12);
    await Promise.all(claims.map(({ stop }) => stop()));
    // Replaced by itself, as many as were asked for.
    await watch();
    await eventually(async () => expect(await warmOf(lab, serviceId)).toHaveLength(8), 20_000);
  });
});

describe('a pool', () => {
  it('ends what is stale, and starts what takes its place', async () => {
    const serviceId = await warmService(lab);
    const [old] = await warmOf(lab, serviceId);
    await lab.store.fork().execute(`update services set spec = jsonb_set(spec, '{idleSeconds}', '77') where service_id = ?`, [serviceId]);
    // From that moment on nobody claims it,
    const other = await claim(serviceId);
    expect(other.claimed).toBe(false);
    await fillPool(lab);
    expect(await rowOf(old!.id)).toMatchObject({ state: 'stopped', endReason: 'retired' });
    expect(await heldBy(lab, [old!.workflowId])).toEqual([]);
    const [fresh] = await warmOf(lab, serviceId);
    expect(fresh).toMatchObject({ spec: { idleSeconds: 77 } });
  });

  it('that is switched off ends what it has', async () => {
    const serviceId = await warmService(lab);
    const [warm] = await warmOf(lab, serviceId);
    await lab.store.fork().execute(`update services set spec = spec - 'poolSize' where service_id = ?`, [serviceId]);
    await watch();
    await eventually(async () => expect(await rowOf(warm!.id)).toMatchObject({ state: 'stopped', endReason: 'retired' }));
    expect(await warmOf(lab, serviceId)).toEqual([]);
  });

  it('goes on where a run of its workflow was terminated', async () => {
    const serviceId = await insertService(lab.store, lab.hostId, { spec: { poolSize: 1 } });
    const workflowId = `fill-warm-pool/${randomUUID()}`;
    lab.faults.of(workflowId).inject('planPool#1', async ({ work }) => {
      await work();
      return { retire: [] };
    });
    // The row is written, and nobody starts it.
    await fillPool(lab, workflowId);
    expect(await warmOf(lab, serviceId)).toEqual([]);
    await fillPool(lab);
    expect(await warmOf(lab, serviceId)).toHaveLength(1);
  });

  it('whose instance fails leaves nothing, and does not try again at once', async () => {
    const serviceId = await insertService(lab.store, lab.hostId, { spec: { poolSize: 1 } });
    const planOf = lab.faults.of.bind(lab.faults);
    lab.faults.of = (workflowId) => {
      const plan = planOf(workflowId);
      plan.onCall ??= (key) => (key === 'bootGuest#1' ? failsForGood('hypervisor-refused') : undefined);
      return plan;
    };
    try {
      expect(await fillPool(lab)).toMatchObject({ warmed: 0, failed: 1 });
      expect(await fillPool(lab)).toMatchObject({ warmed: 0, failed: 0 });
    } finally {
      lab.faults.of = planOf;
    }
    const rows = await lab.store.fork().find(ServiceVm, { service: { serviceId } });
    expect(rows.map(({ state }) => state)).toEqual(['failed']);
    expect(await heldBy(lab, [rows[0]!.workflowId])).toEqual([]);
  });
});

describe('memory that a start needs', () => {
  const setMemory = (memoryMib: number) => lab.store.fork().execute('update hosts set memory_mib = ?', [memoryMib]);
  const heldMib = async () => {
    const [row] = await lab.store
      .fork()
      .execute<{ mib: string }[]>('select sum(memory_mib + ?::int) as mib from service_vms where memory_mib > 0', [overheadMib]);
    return Number(row!.mib);
  };

  it('is given back by warm instances, the oldest first, before anything is refused', async () => {
    const pooled = await warmService(lab, {}, 2);
    const needy = await insertService(lab.store, lab.hostId, { spec: { memory: { minimumMib: 64, idealMib: 64 } } });
    const [first, second] = await warmOf(lab, pooled);
    await setMemory((await heldMib()) + 40);
    try {
      const started = await claim(needy);
      expect(await started.awaitReady()).toMatchObject({ rung: 'cold-boot' });
      expect(await rowOf(first!.id)).toMatchObject({ state: 'stopped', endReason: 'retired' });
      expect(lab.host.guestOf(first!.id)).toBeUndefined();
      expect(await rowOf(second!.id)).toMatchObject({ state: 'warm' });
      // The pool does not take it back.
      expect(await fillPool(lab)).toMatchObject({ warmed: 0 });
      // When nothing warm is left, a start is refused.
      const next = await claim(needy);
      await next.awaitReady();
      expect(await rowOf(second!.id)).toMatchObject({ state: 'stopped', endReason: 'retired' });
      const refused = await claim(needy);
      await expect(refused.awaitReady()).rejects.toMatchObject({ code: 'capacity-exhausted' });
      await Promise.all([started.stop(), next.stop()]);
    } finally {
      await setMemory(1024 * 1024);
    }
  });

  it('is given back by one that is just being warmed, too', async () => {
    const pooled = await insertService(lab.store, lab.hostId, { saved: true, spec: { poolSize: 1 } });
    const needy = await insertService(lab.store, lab.hostId, { spec: { memory: { minimumMib: 64, idealMib: 64 } } });
    const planOf = lab.faults.of.bind(lab.faults);
    lab.faults.of = (workflowId) => {
      const plan = planOf(workflowId);
      plan.onCall ??= (key) => (key === 'restoreGuest#1' ? worksThenHangs : undefined);
      return plan;
    };
    const filling = fillPool(lab);
    const warming = await eventually(async () => {
      const [row] = await lab.store.fork().find(ServiceVm, { service: { serviceId: pooled }, purpose: 'warm', state: 'provisioning' });
      if (!row || !lab.host.guestOf(row.id)) throw new Error('Nothing is being warmed');
      return row;
    });
    lab.faults.of = planOf;
    await setMemory(await heldMib());
    try {
      const started = await claim(needy);
      await started.awaitReady();
      expect(await rowOf(warming.id)).toMatchObject({ state: 'stopped', endReason: 'retired' });
      await started.stop();
      await filling;
    } finally {
      await setMemory(1024 * 1024);
    }
  });
});
