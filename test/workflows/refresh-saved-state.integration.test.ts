import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Operation } from '../../activities/store/entities/operation.ts';
import { findServiceView } from '../../activities/store/service-views.ts';
import { listServiceImages } from '../../activities/store/service-images.ts';
import { recordImageState } from '../../activities/store/image-verification.ts';
import { refreshSavedStateWorkflowId } from '../../workflows/contract/ids.ts';
import { eventually } from '../support/eventually.ts';
import { failsForGood } from '../support/workflow-faults.ts';
import { instanceOf, join, refusalOf } from '../support/workflow-instance.ts';
import { openWorkflowLab, type WorkflowLab } from '../support/workflow-lab.ts';
import { outdateState, reconcile, workflowOver } from '../support/workflow-operations.ts';
import { insertService } from '../support/workflow-services.ts';

let lab: WorkflowLab;
beforeAll(async () => {
  lab = await openWorkflowLab();
});
afterAll(() => lab?.close());

const refreshesOf = (serviceId: string) =>
  lab.store.fork().find(Operation, { kind: 'service.refresh', subject: serviceId }, { orderBy: { createdAt: 'asc' } });
const starts = async (serviceId: string) => {
  const instance = instanceOf(lab, await join(lab, serviceId, 'device:first'));
  const { rung } = await instance.awaitReady();
  await instance.stop();
  return rung;
};
const over = (serviceId: string) => refusalOf(workflowOver(lab, refreshSavedStateWorkflowId(serviceId)));
const fits = async (serviceId: string) => (await listServiceImages(lab.store, serviceId))[0]?.savedState?.fits;

describe('a saved state', () => {
  it('that was made by another QEMU is not used, and made anew in the background', async () => {
    const serviceId = await insertService(lab.store, lab.hostId, { saved: true });
    await outdateState(lab, serviceId);
    const before = await findServiceView(lab.store, serviceId);
    expect(await fits(serviceId)).toBe(false);
    expect(await starts(serviceId)).toBe('cold-boot');

    await reconcile(lab);
    expect(await over(serviceId)).toBeUndefined();
    expect(await refreshesOf(serviceId)).toMatchObject([{ state: 'succeeded', principal: 'system', result: { serviceId, version: 1 } }]);
    expect(await fits(serviceId)).toBe(true);
    expect((await findServiceView(lab.store, serviceId))?.tag).not.toBe(before?.tag);
    expect(await starts(serviceId)).toBe('restore');
    await reconcile(lab);
    expect(await refreshesOf(serviceId)).toHaveLength(1);
  });

  it('that fits is left alone', async () => {
    const serviceId = await insertService(lab.store, lab.hostId, { saved: true });
    await reconcile(lab);
    expect(await refreshesOf(serviceId)).toEqual([]);
  });

  it('that was found damaged is not used, and made anew', async () => {
    const serviceId = await insertService(lab.store, lab.hostId, { saved: true });
    const [row] = await lab.store
      .fork()
      .execute<{ sha256: string }[]>(
        'select i.sha256 from services s join service_images si on si.id = s.image_id join images i on i.id = si.memory_id where s.service_id = ?',
        [serviceId],
      );
    await recordImageState(lab.store, { hostId: lab.hostId, sha256: row!.sha256, damage: 'its content has changed' });
    expect(await starts(serviceId)).toBe('cold-boot');
    await reconcile(lab);
    expect(await over(serviceId)).toBeUndefined();
    expect(await starts(serviceId)).toBe('restore');
  });

  it('that cannot be made anew is tried again later, not at once', async () => {
    const serviceId = await insertService(lab.store, lab.hostId, { saved: true });
    await outdateState(lab, serviceId);
    lab.faults.of(refreshSavedStateWorkflowId(serviceId)).inject('saveGuest#1', failsForGood('capacity-exhausted'));
    await reconcile(lab);
    expect(await over(serviceId)).toBe('capacity-exhausted');
    await reconcile(lab);
    expect(await refreshesOf(serviceId)).toMatchObject([{ state: 'failed', problem: { code: 'capacity-exhausted' } }]);
    expect(await starts(serviceId)).toBe('cold-boot');

    await lab.store.fork().execute(`update operations set finished_at = now() - interval '2 hours' where subject = ?`, [serviceId]);
    await reconcile(lab);
    await eventually(async () => expect(await refreshesOf(serviceId)).toMatchObject([{ state: 'failed' }, { state: 'succeeded' }]));
    expect(await starts(serviceId)).toBe('restore');
  });
});
