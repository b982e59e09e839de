import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openStoreLab, testPorts, withClock, type StoreLab } from '../../test/support/api-store.ts';
import type { Admission, StartRequest } from './admission.ts';
import { endHeld, endIdle, endLease, extendUsed, findLease, holdsLease, renewHeld, renewLease, sweepLeases } from './leases.ts';
import { currentLoad } from './load.ts';
import { reserve } from './reservation.ts';
import { publishReady } from './service-vms.ts';
import { createSession, createSignInCode, endSession, findSession } from './sessions.ts';
import type { Store } from './store.ts';

let lab: StoreLab;
let store: Store;
let advance: (ms: number) => void;
beforeAll(async () => {
  lab = await openStoreLab();
});
afterAll(() => lab?.close());
beforeEach(() => {
  ({ store, advance } = withClock(lab.store));
});

const leaseSeconds = 60;
const holderOf = (name: string) => `device:${name}-${randomUUID()}`;
const addService = () => lab.addService({ spec: { leaseSeconds } });
const startReady = async (request: Partial<StartRequest> = {}): Promise<Admission> => lab.startReady(await addService(), request);
const holds = async ({ leaseId }: Admission) => (await findLease(store, leaseId)) !== undefined;

describe('a lease', () => {
  it('ends when its time has passed, and not a moment before', async () => {
    const admission = await startReady();
    advance(leaseSeconds * 1000 - 2_000);
    await sweepLeases(store);
    expect(await holds(admission)).toBe(true);
    advance(2_000);
    expect(await sweepLeases(store)).toContain(admission.serviceVmId);
    expect(await holds(admission)).toBe(false);
  });

  it('goes on for its length from each renewal', async () => {
    const admission = await startReady();
    for (let renewal = 0; renewal < 3; renewal += 1) {
      advance(leaseSeconds * 900);
      expect(await renewLease(store, admission.leaseId)).toBe(true);
      expect(await sweepLeases(store)).not.toContain(admission.serviceVmId);
    }
    advance(leaseSeconds * 1001);
    await sweepLeases(store);
    expect(await renewLease(store, admission.leaseId)).toBe(false);
  });

  it('does not run while its instance is being started, however long that takes', async () => {
    const { serviceVmId, leaseId } = await lab.start(await addService());
    advance(leaseSeconds * 10_000);
    await sweepLeases(store);
    await reserve(lab.store, serviceVmId, testPorts);
    await publishReady(store, { serviceVmId, rung: 'cold-boot', bootId: randomUUID() });
    advance(leaseSeconds * 900);
    expect(await sweepLeases(store)).not.toContain(serviceVmId);
    expect(await findLease(store, leaseId)).toMatchObject({ serviceVmId, lengthMs: leaseSeconds * 1000 });
  });

  it('is ended once, and says how many users are left', async () => {
    const serviceId = await addService();
    const [first, second] = [await lab.startReady(serviceId), await lab.startReady(serviceId)];
    expect(await endLease(store, first.leaseId)).toEqual({ serviceVmId: first.serviceVmId, users: 1 });
    expect(await endLease(store, first.leaseId)).toBeUndefined();
    expect(await endLease(store, second.leaseId)).toEqual({ serviceVmId: first.serviceVmId, users: 0 });
  });

  it('of the last two users to leave at once, one is told to be the last', async () => {
    for (let round = 0; round < 10; round += 1) {
      const serviceId = await addService();
      const [first, second] = [await lab.startReady(serviceId), await lab.startReady(serviceId)];
      const left = await Promise.all([endLease(store, first.leaseId), endLease(store, second.leaseId)]);
      expect(left.map((each) => each!.users).toSorted((a, b) => a - b)).toEqual([0, 1]);
    }
  });

  it('counts users by who they are, not by leases', async () => {
    const before = await currentLoad(store);
    const serviceId = await addService();
    const holder = holderOf('twice');
    await lab.startReady(serviceId, { holder });
    await lab.startReady(serviceId, { holder });
    expect(await currentLoad(store)).toEqual({ serviceVms: before.serviceVms + 1, users: before.users + 1 });
  });
});

describe('a stock phone', () => {
  it('has one lease however often it asks, renewed each time', async () => {
    const serviceId = await addService();
    const request = { holder: holderOf('phone'), dialect: 'pycloud' } as const;
    const first = await lab.startReady(serviceId, request);
    expect((await lab.startReady(serviceId, request)).leaseId).toBe(first.leaseId);
  });

  it('goes on using what it asks messages for, of that service or of all', async () => {
    const holder = holderOf('phone');
    const [one, two] = [await startReady({ holder, dialect: 'pycloud' }), await startReady({ holder, dialect: 'pycloud' })];
    advance(leaseSeconds * 900);
    await renewHeld(store, holder, one.serviceId);
    await renewHeld(store, holderOf('stranger'), two.serviceId);
    advance(leaseSeconds * 200);
    await sweepLeases(store);
    expect([await holds(one), await holds(two)]).toEqual([true, false]);
    advance(leaseSeconds * 700);
    await renewHeld(store, holder, undefined);
    advance(leaseSeconds * 900);
    await sweepLeases(store);
    expect(await holds(one)).toBe(true);
  });

  it('goes on using what there is traffic to; who leases over /v1 renews', async () => {
    const serviceId = await addService();
    const phone = await lab.startReady(serviceId, { dialect: 'pycloud' });
    const client = await lab.startReady(serviceId);
    advance(leaseSeconds * 900);
    await extendUsed(store, [phone.serviceVmId]);
    await extendUsed(store, []);
    advance(leaseSeconds * 200);
    await sweepLeases(store);
    expect([await holds(phone), await holds(client)]).toEqual([true, false]);
  });

  it('has left when it says so, with all that it held', async () => {
    const serviceId = await addService();
    const holder = holderOf('phone');
    const { serviceVmId } = await lab.startReady(serviceId, { holder, dialect: 'pycloud' });
    await lab.startReady(serviceId, { holder });
    expect(await holdsLease(store, serviceVmId, holder)).toBe(true);
    expect(await endHeld(store, serviceVmId, holderOf('stranger'))).toBeUndefined();
    expect(await endHeld(store, serviceVmId, holder)).toEqual({ users: 0 });
    expect(await endHeld(store, serviceVmId, holder)).toBeUndefined();
    expect(await holdsLease(store, serviceVmId, holder)).toBe(false);
  });
});

describe('an idle instance', () => {
  it('loses the users who did not renew since it fell idle', async () => {
    const serviceId = await addService();
    const [silent, awake] = [await lab.startReady(serviceId), await lab.startReady(serviceId)];
    advance(30_000);
    await renewLease(store, awake.leaseId);
    advance(10_000);
    await endIdle(store, silent.serviceVmId, 20_000);
    expect([await holds(silent), await holds(awake)]).toEqual([false, true]);
  });
});

describe('a sweep', () => {
  it('names what nobody uses, again and again until it has ended, and nothing that is being started or ending', async () => {
    const serviceId = await addService();
    const ready = await lab.startReady(serviceId, { join: false });
    const starting = await lab.start(serviceId, { join: false });
    for (const { leaseId } of [ready, starting]) await endLease(store, leaseId);
    for (let sweep = 0; sweep < 2; sweep += 1) {
      const unused = await sweepLeases(store);
      expect(unused).toContain(ready.serviceVmId);
      expect(unused).not.toContain(starting.serviceVmId);
    }
    await lab.store.fork().execute(`update service_vms set state = 'stopping' where id = ?`, [ready.serviceVmId]);
    expect(await sweepLeases(store)).not.toContain(ready.serviceVmId);
  });
});

describe('signing in', () => {
  it('takes a code once', async () => {
    const { code, expiresInSeconds } = await createSignInCode(store);
    expect(expiresInSeconds).toBe(900);
    const tries = await Promise.allSettled(Array.from({ length: 5 }, () => createSession(store, code)));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(createSession(store, code)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('takes no code that is too old, or that nobody gave', async () => {
    const { code } = await createSignInCode(store);
    advance(15 * 60_000);
    await expect(createSession(store, code)).rejects.toMatchObject({ code: 'unauthenticated' });
    for (const other of ['', 'x', code.slice(1), `${code}x`]) {
      await expect(createSession(store, other)).rejects.toMatchObject({ code: 'unauthenticated' });
    }
  });

  it('lasts until it is over or signed out of, and is kept as a hash alone', async () => {
    const session = async () => createSession(store, (await createSignInCode(store)).code);
    const [first, second] = [await session(), await session()];
    expect(await findSession(store, first.token)).toEqual({ principal: 'manager' });
    await endSession(store, first.token);
    await endSession(store, first.token);
    expect(await findSession(store, first.token)).toBeUndefined();
    const stored = JSON.stringify(await lab.store.fork().execute('select * from sessions'));
    expect(stored).not.toContain(second.token.slice(4));
    advance(12 * 3_600_000);
    expect(await findSession(store, second.token)).toBeUndefined();
  });
});
