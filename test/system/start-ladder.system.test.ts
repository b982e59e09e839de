import { truncate, open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runTool } from '../../activities/run-tool.ts';
import type { OperationBody, ServiceVmBody } from '../../workflows/contract/http.ts';
import { reconcileHostScheduleId } from '../../workflows/contract/ids.ts';
import { bytesPerMib } from '../../workflows/contract/units.ts';
import { eventually } from '../support/eventually.ts';
import { startTestCloudlet, type TestCloudlet } from '../support/test-cloudlet.ts';

let cloudlet: TestCloudlet;

/** Room for two echo guests and QEMU's share, not for three. */
const memoryMib = 400;

beforeAll(async () => {
  cloudlet = await startTestCloudlet({ environment: { CLOUDLET_MEMORY_MIB: String(memoryMib) } });
  await cloudlet.addEchoService({ serviceId: 'saved' });
  await cloudlet.addEchoService({ serviceId: 'unsaved', save: false });
});
afterAll(() => cloudlet?.stop());
afterEach(() => cloudlet.stopAll());

const view = (id: string) => cloudlet.admin.request<ServiceVmBody>('GET', `/v1/service-vms/${id}`);
const imageFile = async (serviceId: string, column: 'disk_id' | 'saved_disk_id' | 'memory_id') => {
  const [row] = await cloudlet.store
    .fork()
    .execute<{ sha256: string }[]>(
      `select i.sha256 from services s join service_images si on si.id = s.image_id join images i on i.id = si.${column} where s.service_id = ?`,
      [serviceId],
    );
  return join(cloudlet.parts.dataDir.root, 'images', 'sha256', row!.sha256);
};

/** Where a file waits that a test takes away. */
const kept = () => join(cloudlet.parts.dataDir.root, 'kept');

describe('the start ladder', () => {
  it('boots cold where no state was saved', async () => {
    const started = await cloudlet.phone().start('unsaved');
    expect(await view(started._id)).toMatchObject({ rung: 'cold-boot', memoryMib: 128 });
  });

  it('boots cold where the saved state was made by another QEMU, which is made anew meanwhile', async () => {
    await cloudlet.store
      .fork()
      .execute(`update service_images set saved_under = jsonb_set(saved_under, '{qemuVersion}', '"6.0.0"') where saved_under is not null`);
    const started = await cloudlet.phone().start('saved');
    expect(await view(started._id)).toMatchObject({ rung: 'cold-boot' });
    await cloudlet.stopAll();

    const [host] = await cloudlet.store.fork().execute<{ id: string }[]>('select id from hosts');
    await cloudlet.temporal.schedule.getHandle(reconcileHostScheduleId(host!.id)).trigger();
    await eventually(async () => {
      const { operations } = await cloudlet.admin.request<{ operations: OperationBody[] }>('GET', '/v1/operations?kind=service.refresh');
      expect(operations).toMatchObject([{ state: 'succeeded', subject: 'saved' }]);
    }, 40_000);
    const again = await cloudlet.phone().start('saved');
    expect(await view(again._id)).toMatchObject({ rung: 'restore' });
  });

  it('gives a guest, booted or restored, a disk that grows no more than its service says', async () => {
    for (const serviceId of ['saved', 'unsaved']) {
      await cloudlet.admin.request('PATCH', `/v1/services/${serviceId}`, { diskGrowthMib: 64 });
      const { _id: id } = await cloudlet.phone().start(serviceId);
      const disk = join(cloudlet.parts.dataDir.root, 'instances', id, 'disk.qcow2');
      const [domain] = await cloudlet.domains();
      const { size, blocks } = await stat(disk);
      expect(size).toBe(66 * bytesPerMib);
      expect(blocks * 512).toBeLessThan(size);
      expect(await cloudlet.virsh('dumpxml', domain!)).toMatch(new RegExp(`<slice type='storage' offset='0' size='${size}'`));
      await cloudlet.stopAll();
    }
  });

  it('boots cold where the saved state is damaged', async () => {
    const path = await imageFile('saved', 'memory_id');
    await rename(path, kept());
    await runTool('cp', ['--reflink=auto', kept(), path]);
    await truncate(path, 1_000_000);
    try {
      const started = await cloudlet.phone().start('saved');
      expect(await view(started._id)).toMatchObject({ rung: 'cold-boot' });
    } finally {
      await rename(kept(), path);
    }
  });

  it('falls to the minimum memory when the ideal is not free', async () => {
    await cloudlet.addEchoService({ serviceId: 'flexible', save: false, memory: { idealMib: 256, minimumMib: 96 } });
    await cloudlet.phone().start('unsaved');
    const started = await cloudlet.phone().start('flexible');
    expect(await view(started._id)).toMatchObject({ rung: 'cold-boot', memoryMib: 96 });
  });
});

describe('a refusal', () => {
  it('comes at once where memory is short, and says what was needed and what is free', async () => {
    for (const _ of [1, 2]) await cloudlet.phone().start('saved', false);
    const askedAt = performance.now();
    await expect(cloudlet.admin.request('POST', '/v1/service-vms', { serviceId: 'saved', join: false })).rejects.toMatchObject({
      code: 'capacity-exhausted',
      facts: { resource: 'memory', needed: 96, free: expect.toSatisfy((free: number) => free >= 0 && free < 96) },
    });
    expect(performance.now() - askedAt).toBeLessThan(2_000);
    const answer = await cloudlet.phone().get('/servicevm/start?serviceId=saved&join=false');
    expect(answer).toMatchObject({ status: 503, body: expect.stringMatching(/needs 96 MiB of memory; \d+ MiB are free/) });
    expect(answer.headers['retry-after']).toBeDefined();
    // A full cloudlet is ready all the same.
    expect((await fetch(`${cloudlet.url}/health/ready`)).status).toBe(200);
  });

  it('names an image that is gone, and leaves nothing', async () => {
    const path = await imageFile('unsaved', 'disk_id');
    await rename(path, kept());
    try {
      const answer = await cloudlet.phone().get('/servicevm/start?serviceId=unsaved');
      expect(answer).toMatchObject({ status: 503, body: expect.stringContaining('is gone from this host') });
    } finally {
      await rename(kept(), path);
    }
  });

  it('names an image that is damaged, and leaves nothing', async () => {
    const path = await imageFile('unsaved', 'disk_id');
    const file = await open(path, 'r+');
    const { buffer } = await file.read(Buffer.alloc(8), 0, 8, 0);
    try {
      await file.write(Buffer.alloc(8), 0, 8, 0);
      const answer = await cloudlet.phone().get('/servicevm/start?serviceId=unsaved');
      expect(answer).toMatchObject({ status: 503, body: expect.stringContaining('cannot be read') });
    } finally {
      await file.write(buffer, 0, 8, 0);
      await file.close();
    }
  });

  it('says that the disk is full, and leaves nothing', async () => {
    const instances = join(cloudlet.parts.dataDir.root, 'instances');
    await runTool('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'cloudlet-test', instances]);
    try {
      const answer = await cloudlet.phone().get('/servicevm/start?serviceId=unsaved');
      expect(answer).toMatchObject({ status: 503, body: expect.stringMatching(/disk of this host is full/) });
    } finally {
      await runTool('umount', [instances]);
    }
  });

  it('says that no port is free', async () => {
    const { first, last } = cloudlet.parts.config.guestPorts;
    const em = cloudlet.store.fork();
    await em.execute(
      `insert into services (id, service_id, spec, version, created_at, updated_at) values (gen_random_uuid(), 'hoarder', '{}', 1, now(), now())`,
    );
    await em.execute(
      `insert into service_vms (id, service_id, spec, workflow_id, start_operation_id, state, shared, purpose, requested_at, memory_mib, vcpus, restarts, version)
       select gen_random_uuid(), id, spec, 'hoarder', gen_random_uuid(), 'stopped', false, 'serve', now(), 0, 0, 0, 1 from services where service_id = 'hoarder'`,
    );
    await em.execute(
      `insert into port_reservations (id, host_id, service_vm_id, position, name, protocol, guest_port, host_port)
       select gen_random_uuid(), (select id from hosts), vm.id, port, 'x', 'tcp', 1, port from service_vms vm, generate_series(?::int, ?::int) port where vm.workflow_id = 'hoarder'`,
      [first, last],
    );
    try {
      const answer = await cloudlet.phone().get('/servicevm/start?serviceId=unsaved');
      expect(answer).toMatchObject({ status: 503, body: expect.stringContaining('host ports for guests') });
    } finally {
      await em.execute(`delete from service_vms where workflow_id = 'hoarder'`);
      await em.execute(`delete from services where service_id = 'hoarder'`);
    }
  });
});
