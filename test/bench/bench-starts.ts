import { join } from 'node:path';
import type { Store } from '../../activities/store/store.ts';
import type { ServiceVmBody } from '../../workflows/contract/http.ts';
import { addEchoService } from '../support/echo-service.ts';
import { Phone } from '../support/phone.ts';
import { BareLibvirt, firstByte, type BareGuest, type ServiceFiles } from './bare-libvirt.ts';
import type { StartedCloudlet } from '../support/started-cloudlet.ts';
import { measurement, median, quantile, timed, type Measurement } from './measurement.ts';

const restores = 9;
const boots = 5;
const atOnce = 8;
const phones = 200;
const serviceId = 'bench.echo';
/** The same disk without a saved state, so that its next rung is the cold boot. */
const bootedId = 'bench.booted';
const memoryMib = 128;

export async function benchStarts(cloudlet: StartedCloudlet, store: Store): Promise<Measurement[]> {
  const files = await serviceFiles(store, cloudlet.config.dataDir, serviceId);
  const bare = new BareLibvirt(await cloudlet.libvirtUri(), cloudlet.config.dataDir);
  try {
    const restore = await inTurns(
      restores,
      () => startOnce(cloudlet, serviceId),
      () => bareOnce(() => bare.restorable(files)),
    );
    await addEchoService(cloudlet.admin, cloudlet.config.importDir, { serviceId: bootedId, save: false });
    const cold = await inTurns(
      boots,
      () => startOnce(cloudlet, bootedId),
      () => bareOnce(() => bare.bootable(files, memoryMib)),
    );
    return [
      measurement(
        {
          name: 'start by restore, request to first byte',
          unit: 'ms',
          value: restore.ours,
          floor: restore.floor,
          aim: 'at most 1.25 × virsh restore + 150 ms',
        },
        (value, floor) => value <= 1.25 * floor + 150,
      ),
      measurement(
        {
          name: 'start by cold boot, request to first byte',
          unit: 'ms',
          value: cold.ours,
          floor: cold.floor,
          aim: 'at most 1.1 × virsh create + 150 ms',
        },
        (value, floor) => value <= 1.1 * floor + 150,
      ),
      await benchManyStarts(cloudlet, () => bare.restorable(files)),
      await benchStampede(cloudlet),
    ];
  } finally {
    await bare.clear();
  }
}

/** Both in turns, so that a slow moment of the machine meets both. @returns medians, ms */
export async function inTurns(
  rounds: number,
  ours: () => Promise<number>,
  floor: () => Promise<number>,
): Promise<{ ours: number; floor: number }> {
  const times = { ours: [] as number[], floor: [] as number[] };
  await ours();
  await floor();
  for (let round = 0; round < rounds; round += 1) {
    times.ours.push(await ours());
    times.floor.push(await floor());
  }
  return { ours: median(times.ours), floor: median(times.floor) };
}

async function startOnce(cloudlet: StartedCloudlet, service: string): Promise<number> {
  const phone = new Phone(cloudlet.url, 'bench');
  let id = '';
  const time = await timed(async () => {
    const started = await phone.start(service, false);
    id = started._id;
    await firstByte(started.port);
  });
  await stop(cloudlet, id);
  return time;
}

async function bareOnce(make: () => Promise<BareGuest>): Promise<number> {
  const guest = await make();
  try {
    return await guest.start();
  } finally {
    await guest.remove();
  }
}

const stop = (cloudlet: StartedCloudlet, id: string) =>
  cloudlet.admin.request('POST', `/v1/service-vms/${id}/stop`, undefined, { prefer: 'wait=30' });

/** Eight phones that want an instance of their own, at once: until the last of them has its first byte. */
async function benchManyStarts(cloudlet: StartedCloudlet, make: () => Promise<BareGuest>): Promise<Measurement> {
  const ids: string[] = [];
  const value = await timed(() =>
    Promise.all(
      Array.from({ length: atOnce }, async (_, index) => {
        const started = await new Phone(cloudlet.url, `bench-${index}`).start(serviceId, false);
        ids.push(started._id);
        await firstByte(started.port);
      }),
    ),
  );
  for (const id of ids) await stop(cloudlet, id);
  const guests = await Promise.all(Array.from({ length: atOnce }, make));
  const floor = await timed(() => Promise.all(guests.map((guest) => guest.start())));
  for (const guest of guests) await guest.remove();
  return measurement(
    { name: `${atOnce} starts at once, until the last`, unit: 'ms', value, floor, aim: 'told beside its floor' },
    () => true,
  );
}

/** Two hundred phones that ask for one service while it boots: how long after it is ready the last one knows. */
async function benchStampede(cloudlet: StartedCloudlet): Promise<Measurement> {
  const answeredAt: number[] = [];
  const ids = new Set<string>();
  await Promise.all(
    Array.from({ length: phones }, async (_, index) => {
      const { _id } = await new Phone(cloudlet.url, `bench-${index}`).start(bootedId);
      ids.add(_id);
      answeredAt.push(Date.now());
    }),
  );
  const [id] = ids;
  const { readyAt } = await cloudlet.admin.request<ServiceVmBody>('GET', `/v1/service-vms/${id}`);
  if (ids.size !== 1) throw new Error(`${phones} phones started ${ids.size} instances`);
  await stop(cloudlet, id!);
  const floor = await timed(() => Promise.all(Array.from({ length: phones }, () => fetch(`${cloudlet.url}/health/live`))));
  return measurement(
    {
      name: `${phones} phones ask while it boots: ready to the last answer`,
      unit: 'ms',
      value: quantile(answeredAt, 1) - Date.parse(readyAt!),
      floor,
      aim: 'within 1 s',
    },
    (value) => value <= 1_000,
  );
}

/** What new instances of a service start from. */
export async function serviceFiles(store: Store, dataDir: string, service: string): Promise<ServiceFiles> {
  const [row] = await store.fork().execute<{ disk: string; saved_disk: string; memory: string }[]>(
    `select d.sha256 as disk, sd.sha256 as saved_disk, m.sha256 as memory
     from services s join service_images si on si.id = s.image_id
     join images d on d.id = si.disk_id join images sd on sd.id = si.saved_disk_id join images m on m.id = si.memory_id
     where s.service_id = ?`,
    [service],
  );
  const path = (sha256: string) => join(dataDir, 'images', 'sha256', sha256);
  return { disk: path(row!.disk), savedDisk: path(row!.saved_disk), memory: path(row!.memory) };
}
