import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, openStoreLab, testPorts, type StoreLab } from '../../test/support/api-store.ts';
import { admitBuild } from './builds.ts';
import { admitJoin, admitStart, type Admission, type StartRequest } from './admission.ts';
import { Service } from './entities/service.ts';
import { admitStop, withdrawStop } from './operations.ts';
import { reserve } from './reservation.ts';
import { publishStopping, recordEnd } from './service-vms.ts';
import type { Store } from './store.ts';

let lab: StoreLab;
beforeAll(async () => {
  lab = await openStoreLab();
});
afterAll(() => lab?.close());

const newDevice = (): string => `device:${randomUUID()}`;
const stampede = (store: Store, serviceId: string, count: number): Promise<Admission>[] =>
  Array.from({ length: count }, () => admitStart(store, { serviceId, holder: newDevice(), join: true, dialect: 'pycloud' }));
const instancesOf = (admissions: readonly Admission[]) => new Set(admissions.map(({ serviceVmId }) => serviceVmId));
const keyed = (key: string, requestHash = 'a'.repeat(64)) => ({ idempotency: { key, requestHash } });

describe('a stampede', () => {
  it('of 200 users at two processes starts one instance', async () => {
    const serviceId = await lab.addService();
    const other = await lab.anotherStore();
    const admissions = await Promise.all([...stampede(lab.store, serviceId, 100), ...stampede(other, serviceId, 100)]);
    expect(instancesOf(admissions).size).toBe(1);
    expect(admissions.filter(({ joined }) => !joined)).toHaveLength(1);
    expect(new Set(admissions.map(({ leaseId }) => leaseId)).size).toBe(200);
    expect(
      await ask(lab.store, 'select count(distinct holder)::int from leases where service_vm_id = ?', [admissions[0]!.serviceVmId]),
    ).toBe(200);
  });

  it('fills instances to their maximum, and not beyond', async () => {
    const serviceId = await lab.addService({ spec: { maximumUsers: 7, whenFull: 'another' } });
    const other = await lab.anotherStore();
    const admissions = await Promise.all([...stampede(lab.store, serviceId, 15), ...stampede(other, serviceId, 15)]);
    const users = [...Map.groupBy(admissions, ({ serviceVmId }) => serviceVmId).values()].map(({ length }) => length);
    expect(users.toSorted((a, b) => a - b)).toEqual([2, 7, 7, 7, 7]);
  });

  it('beyond the maximum is refused where the service says so', async () => {
    const serviceId = await lab.addService({ spec: { maximumUsers: 5, whenFull: 'refuse' } });
    const settled = await Promise.allSettled(stampede(lab.store, serviceId, 12));
    const refused = settled.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(7);
    expect(refused[0]!.reason).toMatchObject({
      code: 'capacity-exhausted',
      message: expect.stringContaining('takes 5 users at once'),
      facts: { resource: 'users', needed: 1, free: 0, retryAfterSeconds: 30 },
    });
  });
});

describe('who asks', () => {
  it('for an instance of its own waits for nobody who asks for the same', async () => {
    const serviceId = await lab.addService();
    const id = await ask<string>(lab.store, 'select id::text from services where service_id = ?', [serviceId]);
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    const other = lab.store.transaction(async (em) => {
      // What admitting another to it holds until the end.
      await em.execute('select pg_advisory_xact_lock_shared(hashtextextended(?, 1))', [id]);
      await em.execute('select id from services where id = ? for key share', [id]);
      await done;
    });
    const started = lab.start(serviceId, { join: false }).then(({ serviceVmId }) => reserve(lab.store, serviceVmId, testPorts));
    const first = await Promise.race([started, sleep(3_000, 'waited')]);
    finish();
    await other;
    expect(first).toMatchObject({ hostId: lab.hostId });
  });

  it('again as the same user gets the same place, full or not', async () => {
    const serviceId = await lab.addService({ spec: { maximumUsers: 1, whenFull: 'refuse' } });
    const holder = newDevice();
    const first = await lab.start(serviceId, { holder, dialect: 'pycloud' });
    const again = await lab.start(serviceId, { holder, dialect: 'pycloud' });
    expect(again).toMatchObject({ serviceVmId: first.serviceVmId, leaseId: first.leaseId, joined: true });
  });

  it('over /v1 gets a lease of its own each time, and counts once', async () => {
    const serviceId = await lab.addService({ spec: { maximumUsers: 2, whenFull: 'refuse' } });
    const holder = newDevice();
    const leases = await Promise.all([1, 2, 3].map(() => lab.start(serviceId, { holder })));
    expect(new Set(leases.map(({ leaseId }) => leaseId)).size).toBe(3);
    expect((await lab.start(serviceId)).joined).toBe(true);
    await expect(lab.start(serviceId)).rejects.toMatchObject({ code: 'capacity-exhausted' });
  });

  it('for an instance of its own shares it with nobody', async () => {
    const serviceId = await lab.addService();
    const own = await lab.start(serviceId, { join: false });
    const shared = await lab.start(serviceId);
    expect(shared.serviceVmId).not.toBe(own.serviceVmId);
    expect((await lab.start(serviceId)).serviceVmId).toBe(shared.serviceVmId);
    await expect(admitJoin(lab.store, { serviceVmId: own.serviceVmId, holder: newDevice(), dialect: 'v1' })).rejects.toMatchObject({
      code: 'forbidden',
    });
  });

  it('of a service that gives everybody an instance of its own gets one, whether it would join or not', async () => {
    const serviceId = await lab.addService({ spec: { sharing: 'own' } });
    expect(instancesOf(await Promise.all(stampede(lab.store, serviceId, 4))).size).toBe(4);
  });

  it('joins what answers already before what is being started', async () => {
    const serviceId = await lab.addService({ spec: { maximumUsers: 2 } });
    const starting = [await lab.start(serviceId), await lab.start(serviceId)];
    const ready = await lab.startReady(serviceId);
    expect(ready.joined).toBe(false);
    await lab.store.fork().execute('delete from leases where id = ?', [starting[1]!.leaseId]);
    expect((await lab.start(serviceId)).serviceVmId).toBe(ready.serviceVmId);
    expect((await lab.start(serviceId)).serviceVmId).toBe(starting[0]!.serviceVmId);
  });

  it('never joins what is ending', async () => {
    const serviceId = await lab.addService();
    const ending = await lab.startReady(serviceId);
    await publishStopping(lab.store, ending.serviceVmId, 'asked');
    expect((await lab.start(serviceId)).serviceVmId).not.toBe(ending.serviceVmId);
    await expect(admitJoin(lab.store, { serviceVmId: ending.serviceVmId, holder: newDevice(), dialect: 'v1' })).rejects.toMatchObject({
      code: 'state-conflict',
      facts: { state: 'stopping' },
    });
  });

  it('for one instance joins up to its maximum', async () => {
    const serviceId = await lab.addService({ spec: { maximumUsers: 3 } });
    const { serviceVmId } = await lab.start(serviceId);
    const joins = await Promise.allSettled(
      Array.from({ length: 6 }, () => admitJoin(lab.store, { serviceVmId, holder: newDevice(), dialect: 'v1' })),
    );
    expect(joins.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  });

  it.each([
    ['a service that there is not', async () => 'no.such.service', 'not-found'],
    [
      'a service without an image',
      async () => {
        const serviceId = await lab.addService();
        await lab.store.fork().nativeUpdate(Service, { serviceId }, { image: null });
        return serviceId;
      },
      'state-conflict',
    ],
  ])('for %s is told so', async (_, named, code) => {
    await expect(lab.start(await named())).rejects.toMatchObject({ code });
  });

  it('for an instance that there is not is told so', async () => {
    const request = { serviceVmId: randomUUID(), holder: newDevice(), dialect: 'v1' } as const;
    await expect(admitJoin(lab.store, request)).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('a request with a key', () => {
  const requests: readonly (readonly [string, (serviceId: string) => Promise<Partial<StartRequest>>])[] = [
    ['starts an instance', async () => ({})],
    [
      'joins one',
      async (serviceId) => {
        await lab.start(serviceId);
        return {};
      },
    ],
    ['starts one of its own', async () => ({ join: false })],
  ];

  it.each(requests)('that %s is answered the same, however often it comes', async (_, prepare) => {
    const serviceId = await lab.addService();
    const request = { ...(await prepare(serviceId)), holder: newDevice(), ...keyed('k1') };
    const first = await lab.start(serviceId, request);
    const leases = () => ask<number>(lab.store, 'select count(*)::int from leases where service_vm_id = ?', [first.serviceVmId]);
    const before = await leases();
    expect(await lab.start(serviceId, request)).toEqual(first);
    expect(await lab.start(serviceId, request)).toEqual(first);
    expect(await leases()).toBe(before);
  });

  it('that comes many times at once is carried out once', async () => {
    const serviceId = await lab.addService({ spec: { sharing: 'own' } });
    const other = await lab.anotherStore();
    const holder = newDevice();
    const request = { serviceId, holder, join: true, dialect: 'v1', ...keyed('once') } as const;
    const admissions = await Promise.all(
      [lab.store, other].flatMap((store) => Array.from({ length: 10 }, () => admitStart(store, request))),
    );
    for (const admission of admissions) expect(admission).toEqual(admissions[0]);
    expect(await ask(lab.store, 'select count(*)::int from operations where principal = ?', [holder])).toBe(1);
  });

  it('is refused when the key came with another request before, be it a start, a join, a stop or a build', async () => {
    const serviceId = await lab.addService();
    const holder = newDevice();
    const { serviceVmId } = await lab.start(serviceId, { holder, ...keyed('k2', 'a'.repeat(64)) });
    const other = keyed('k2', 'b'.repeat(64));
    const refusal = { code: 'invalid-input', message: expect.stringContaining('Idempotency-Key was used before') };
    await expect(lab.start(serviceId, { holder, ...other })).rejects.toMatchObject(refusal);
    await expect(admitJoin(lab.store, { serviceVmId, holder, dialect: 'v1', ...other })).rejects.toMatchObject(refusal);
    await expect(admitStop(lab.store, { serviceVmId, workflowId: 'w', principal: holder, ...other })).rejects.toMatchObject(refusal);
    await expect(admitBuild(lab.store, { serviceId, principal: holder, ...other })).rejects.toMatchObject(refusal);
  });

  it('means nothing to others who chose the same', async () => {
    const serviceId = await lab.addService({ spec: { sharing: 'own' } });
    const [one, two] = await Promise.all([lab.start(serviceId, keyed('same')), lab.start(serviceId, keyed('same'))]);
    expect(one.serviceVmId).not.toBe(two.serviceVmId);
  });

  it('that was refused can be tried again', async () => {
    const serviceId = await lab.addService({ spec: { maximumUsers: 1, whenFull: 'refuse' } });
    const first = await lab.start(serviceId);
    const request = { holder: newDevice(), ...keyed('again') };
    await expect(lab.start(serviceId, request)).rejects.toMatchObject({ code: 'capacity-exhausted' });
    await lab.store.fork().execute('delete from leases where id = ?', [first.leaseId]);
    expect((await lab.start(serviceId, request)).joined).toBe(true);
  });

  it('finds what it began after that has ended, and even after its record is gone', async () => {
    const serviceId = await lab.addService();
    const request = { holder: newDevice(), ...keyed('ended') };
    const first = await lab.start(serviceId, request);
    await recordEnd(lab.store, first.serviceVmId, { state: 'failed', reason: 'start-failed' });
    expect(await lab.start(serviceId, request)).toEqual({ ...first, state: 'failed' });
    await lab.store.fork().execute('delete from service_vms where id = ?', [first.serviceVmId]);
    expect(await lab.start(serviceId, request)).toEqual({ ...first, state: 'stopped' });
  });

  it('that stops finds its operation again, until it is withdrawn', async () => {
    const stop = { serviceVmId: randomUUID(), workflowId: 'w', principal: newDevice(), ...keyed('stop') };
    const first = await admitStop(lab.store, stop);
    expect(await admitStop(lab.store, stop)).toEqual({ operationId: first.operationId, repeated: true });
    await withdrawStop(lab.store, first.operationId, stop);
    const anew = await admitStop(lab.store, stop);
    expect(anew.repeated).toBe(false);
    expect(anew.operationId).not.toBe(first.operationId);
  });

  it('is forgotten after a week', async () => {
    const serviceId = await lab.addService({ spec: { sharing: 'own' } });
    const request = { holder: newDevice(), ...keyed('old') };
    const first = await lab.start(serviceId, request);
    await lab.store
      .fork()
      .execute(`update idempotency_keys set created_at = now() - interval '8 days' where principal = ?`, [request.holder]);
    await lab.start(serviceId, keyed('another'));
    expect((await lab.start(serviceId, request)).serviceVmId).not.toBe(first.serviceVmId);
  });
});

describe('a build', () => {
  it('is admitted once at a time for a service, and names the one that runs', async () => {
    const build = { serviceId: `test.${randomUUID()}`, principal: 'admin:x' };
    const settled = await Promise.allSettled(Array.from({ length: 8 }, () => admitBuild(lab.store, build)));
    const [admitted, ...more] = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(more).toEqual([]);
    const refusals = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    expect(refusals).toHaveLength(7);
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ code: 'operation-in-progress', facts: { operationId: admitted!.operationId } });
    }
  });
});
