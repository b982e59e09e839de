import type { Store } from '../../activities/store/store.ts';
import { Phone } from '../support/phone.ts';
import type { StartedCloudlet } from '../support/started-cloudlet.ts';
import type { ServiceVmBody } from '../../workflows/contract/http.ts';
import { pollUntil } from '../../temporal/supervisor/poll-until.ts';
import { BareLibvirt, firstByte, type BareGuest } from './bare-libvirt.ts';
import { inTurns, serviceFiles } from './bench-starts.ts';
import { measurement, timed, type Measurement } from './measurement.ts';

const serviceId = 'bench.echo';
const claims = 7;
const poolSize = 8;
const atOnce = 50;

/** The warm pool of the service that `benchStarts` measured, too. */
export async function benchPool(cloudlet: StartedCloudlet, store: Store): Promise<Measurement[]> {
  const bare = new BareLibvirt(await cloudlet.libvirtUri(), cloudlet.config.dataDir);
  const files = await serviceFiles(store, cloudlet.config.dataDir);
  const guest = await bare.restorable(files);
  try {
    await guest.start();
    await resizePool(store, 1);
    const claim = await inTurns(
      claims,
      () => claimOnce(cloudlet),
      () => resumeOnce(guest),
    );
    const single = measurement(
      {
        name: 'claim of a warm instance, request to first byte',
        unit: 'ms',
        value: claim.ours,
        floor: claim.floor,
        aim: 'at most virsh resume + 80 ms',
      },
      (value, floor) => value <= floor + 80,
    );
    await guest.remove();
    return [single, await benchManyClaims(cloudlet, store)];
  } finally {
    await resizePool(store, 0);
    await untilWarm(cloudlet, 0);
    await bare.clear();
  }
}

const resizePool = (store: Store, size: number): Promise<unknown> =>
  store
    .fork()
    .execute(`update services set spec = jsonb_set(spec, '{poolSize}', to_jsonb(?::int)) where service_id = ?`, [size, serviceId]);

const warmInstances = async ({ admin }: StartedCloudlet): Promise<readonly ServiceVmBody[]> =>
  (await admin.request<{ serviceVms: ServiceVmBody[] }>('GET', '/v1/service-vms?state=warm')).serviceVms;

async function untilWarm(cloudlet: StartedCloudlet, count: number): Promise<void> {
  const reached = await pollUntil(async () => (await warmInstances(cloudlet)).length === count, { deadlineMs: 120_000, everyMs: 200 });
  if (!reached) throw new Error(`After two minutes there are not ${count} warm instances`);
}

async function claimOnce(cloudlet: StartedCloudlet): Promise<number> {
  await untilWarm(cloudlet, 1);
  const [warm] = await warmInstances(cloudlet);
  let id = '';
  const time = await timed(async () => {
    const started = await new Phone(cloudlet.url, 'bench').start(serviceId, false);
    id = started._id;
    await firstByte(started.port);
  });
  if (id !== warm!.id) throw new Error('The warm instance was not claimed');
  await stop(cloudlet, id);
  return time;
}

async function resumeOnce(guest: BareGuest): Promise<number> {
  await guest.pause();
  return guest.resume();
}

const stop = (cloudlet: StartedCloudlet, id: string) =>
  cloudlet.admin.request('POST', `/v1/service-vms/${id}/stop`, undefined, { prefer: 'wait=60' });

/** Fifty phones that want an instance of their own: until the last of them is told where it is, which is when its guest has answered. */
async function benchManyClaims(cloudlet: StartedCloudlet, store: Store): Promise<Measurement> {
  await resizePool(store, poolSize);
  // That many at once are what the pool learns its size from.
  await Promise.all((await startMany(cloudlet, poolSize)).map(({ id }) => stop(cloudlet, id)));
  await untilWarm(cloudlet, poolSize);
  const warm = new Set((await warmInstances(cloudlet)).map(({ id }) => id));
  let started: readonly Started[] = [];
  const value = await timed(async () => {
    started = await startMany(cloudlet, atOnce);
  });
  const ids = new Set(started.map(({ id }) => id));
  const claimed = started.filter(({ id }) => warm.has(id));
  const slowestClaim = Math.round(Math.max(...claimed.map(({ ms }) => ms)));
  for (const { id } of started) await stop(cloudlet, id);
  return measurement(
    {
      name: `${atOnce} claims at once on a pool of ${poolSize}: ${claimed.length} claimed within ${slowestClaim} ms, ${atOnce - started.length} refused, until the last`,
      unit: 'ms',
      value,
      floor: null,
      aim: `no double claim, ${atOnce - poolSize} by the next rung`,
    },
    () => ids.size === atOnce && claimed.length === poolSize,
  );
}

interface Started {
  readonly id: string;
  readonly ms: number;
}

/** @returns those that were served; a machine that is too small for so many refuses some */
const startMany = async (cloudlet: StartedCloudlet, count: number): Promise<Started[]> => {
  const asked = await Promise.allSettled(
    Array.from({ length: count }, async (_, index) => {
      let id = '';
      const ms = await timed(async () => {
        id = (await new Phone(cloudlet.url, `bench-${index}`).start(serviceId, false))._id;
      });
      return { id, ms };
    }),
  );
  return asked.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
};
