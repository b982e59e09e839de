import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStoreLab, type StoreLab } from '../../test/support/api-store.ts';
import { refusalOf } from '../../test/support/workflow-instance.ts';
import { createTrashActivities, admitRemoval, emptyTrash, restoreService } from './trash.ts';
import { findService, isTrashed, listServices } from './services.ts';
import { findServiceView, listServiceViews } from './service-views.ts';
import { recordEnd } from './service-vms.ts';
import { admitBuild } from './builds.ts';

let lab: StoreLab;
beforeAll(async () => {
  lab = await openStoreLab();
});
afterAll(() => lab?.close());

const trashOf = (trashHoldMs: number) => createTrashActivities({ store: lab.store, trashHoldMs });
const removal = (serviceId: string, more: { stop?: boolean; purge?: boolean } = {}) => ({ serviceId, stop: false, purge: false, ...more });
const admit = (serviceId: string, more: { stop?: boolean; purge?: boolean } = {}) =>
  admitRemoval(lab.store, { ...removal(serviceId, more), principal: 'test', ifMatch: undefined });

/** Removed as the workflow does it. */
async function remove(serviceId: string, { holdMs = 1_000_000, purge = false } = {}): Promise<void> {
  const { operationId } = await admit(serviceId, { purge });
  const input = { ...removal(serviceId, { purge }), operationId };
  await trashOf(holdMs).trashService(input);
  await trashOf(holdMs).recordRemoval(input);
}

const exists = async (serviceId: string) =>
  (await lab.store.fork().execute('select 1 from services where service_id = ?', [serviceId])).length > 0;

describe('a service in the trash', () => {
  it('is for nobody to see, start or build, until it is restored as it was', async () => {
    const serviceId = await lab.addService({ saved: true });
    const before = await findServiceView(lab.store, serviceId);
    await remove(serviceId);
    expect(await findService(lab.store, serviceId)).toBeNull();
    expect((await listServices(lab.store)).map((service) => service.serviceId)).not.toContain(serviceId);
    expect((await listServiceViews(lab.store)).map((view) => view.serviceId)).not.toContain(serviceId);
    expect(await isTrashed(lab.store, serviceId)).toBe(true);
    expect(await refusalOf(lab.start(serviceId))).toBe('not-found');
    expect(await refusalOf(admitBuild(lab.store, { serviceId, principal: 'test' }))).toBe('state-conflict');
    expect(await refusalOf(admit(serviceId))).toBe('not-found');

    await restoreService(lab.store, serviceId, undefined);
    expect((await findServiceView(lab.store, serviceId))?.view).toEqual({ ...before!.view, updatedAt: expect.any(String) });
    expect(await refusalOf(lab.start(serviceId))).toBeUndefined();
    expect(await refusalOf(restoreService(lab.store, serviceId, undefined))).toBe('not-found');
  });

  it('says until when it can be brought back', async () => {
    const serviceId = await lab.addService();
    await remove(serviceId, { holdMs: 3_600_000 });
    const view = (await listServiceViews(lab.store, { trashed: true })).find((found) => found.serviceId === serviceId);
    expect(Date.parse(view!.trashedUntil!) - Date.now()).toBeGreaterThan(3_500_000);
    expect(Date.parse(view!.trashedUntil!) - Date.now()).toBeLessThan(3_700_000);
  });

  it('is deleted when its time is over, its ended instances with it, and not before', async () => {
    const [due, kept] = [await lab.addService(), await lab.addService()];
    const { serviceVmId } = await lab.startReady(due);
    await recordEnd(lab.store, serviceVmId, { state: 'stopped', reason: 'asked' });
    await remove(due, { holdMs: 0 });
    await remove(kept);
    await emptyTrash(lab.store);
    expect([await exists(due), await exists(kept)]).toEqual([false, true]);
    expect(await lab.store.fork().execute('select 1 from service_vms where id = ?', [serviceVmId])).toEqual([]);
  });

  it('can be deleted for good before', async () => {
    const serviceId = await lab.addService();
    await remove(serviceId);
    await remove(serviceId, { purge: true });
    expect(await exists(serviceId)).toBe(false);
  });
});

describe('a removal', () => {
  it('is refused while somebody uses the service, also when that began after it was admitted', async () => {
    const serviceId = await lab.addService();
    const { operationId } = await admit(serviceId);
    await lab.startReady(serviceId);
    const input = { ...removal(serviceId), operationId };
    expect(await refusalOf(trashOf(0).trashService(input))).toBe('state-conflict');
    await trashOf(0).recordFailure({ operationId, failure: { code: 'state-conflict', detail: '', facts: {} } });
    expect(await refusalOf(admit(serviceId))).toBe('state-conflict');
    expect(await refusalOf(admit(serviceId, { stop: true }))).toBeUndefined();
  });

  it('is refused while another operation works on the service', async () => {
    const serviceId = await lab.addService();
    await admitBuild(lab.store, { serviceId, principal: 'test' });
    expect(await refusalOf(admit(serviceId))).toBe('operation-in-progress');
  });

  it('that is undone leaves a service alone that another one put into the trash', async () => {
    const serviceId = await lab.addService();
    await remove(serviceId);
    const purge = { ...removal(serviceId, { purge: true }), operationId: randomUUID() };
    await trashOf(0).trashService(purge);
    await trashOf(0).untrashService(purge);
    expect(await isTrashed(lab.store, serviceId)).toBe(true);
  });
});
