import { overheadMib } from '../../activities/store/hosts.ts';
import type { Store } from '../../activities/store/store.ts';
import { pollUntil } from '../../temporal/supervisor/poll-until.ts';
import type { ServiceVmBody } from '../../workflows/contract/http.ts';
import { Phone } from '../support/phone.ts';
import type { StartedCloudlet } from '../support/started-cloudlet.ts';
import { lookAsked } from '../support/warm-instances.ts';
import { BareLibvirt, firstByte, type BareGuest } from './bare-libvirt.ts';
import { inTurns, serviceFiles } from './bench-starts.ts';
import { measurement, timed, type Measurement } from './measurement.ts';

const serviceId = 'bench.echo';
const guestMib = 128;
const claims = 11;
const poolSize = 8;
const atOnce = 50;
/** Of the rest, so many are started at once as the pool has; the others are to be refused, not to wait for a small machine. */
const nextRungs = 8;

/** What the cloudlet may give to guests: room for the pool and for those that take the next rung. */
export const poolMemoryMib = (poolSize + nextRungs) * (guestMib + overheadMib);

/** The warm pool of the service that `benchStarts` measured, too. */
export async function benchPool(cloudlet: StartedCloudlet, store: Store): Promise<Measurement[]> {
  const bare = new BareLibvirt(await cloudlet.libvirtUri(), cloudlet.config.dataDir);
  const files = await serviceFiles(store, cloudlet.config.dataDir, serviceId);
  const makeGuest = () => bare.restorable(files);
  try {
    return [await benchClaim(cloudlet, store, makeGuest), ...(await benchManyClaims(cloudlet, store, makeGuest))];
  } finally {
    await resizePool(store, 0);
    await untilWarm(cloudlet, 0);
    await bare.clear();
  }
}

type MakeGuest = () => Promise<BareGuest>;

async function benchClaim(cloudlet: StartedCloudlet, store: Store, makeGuest: MakeGuest): Promise<Measurement> {
  const guest = await makeGuest();
  await guest.start();
  await resizePool(store, 1);
  const { ours, floor } = await inTurns(
    claims,
    () => claimOnce(cloudlet),
    async () => {
      await guest.pause();
      return guest.resume();
    },
  );
  await guest.remove();
  return measurement(
    {
      name: 'claim of a warm instance, request to first byte',
      unit: 'ms',
      value: ours,
      floor,
      aim: 'at most virsh resume + 80 ms',
    },
    (value, resume) => value <= resume + 80,
  );
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

/**
 * Fifty phones that want an instance of their own, where sixteen have room and eight of those wait warm: each is told
 * where its guest is once that has answered, or that there is no room.
 */
async function benchManyClaims(cloudlet: StartedCloudlet, store: Store, makeGuest: MakeGuest): Promise<Measurement[]> {
  const floor = await benchManyGuests(makeGuest);
  await resizePool(store, poolSize);
  await lookAsked({ store }, serviceId, poolSize);
  await untilWarm(cloudlet, poolSize);
  const warm = new Set((await warmInstances(cloudlet)).map(({ id }) => id));
  const asked = await Promise.all(Array.from({ length: atOnce }, (_, index) => startOne(cloudlet, `bench-${index}`)));
  const started = asked.flatMap((each) => (each.id === undefined ? [] : [{ ...each, id: each.id }]));
  await resizePool(store, 0);
  await Promise.all(started.map(({ id }) => stop(cloudlet, id)));

  const claimed = started.filter(({ id }) => warm.has(id));
  const others = started.filter(({ id }) => !warm.has(id));
  const faults = asked.flatMap(({ fault = [] }) => fault);
  if (faults.length > 0) process.stdout.write(`  ${faults.length} were not served, but not for lack of room: ${faults[0]}\n`);
  const refused = asked.length - started.length - faults.length;
  const slowest = (of: readonly { ms: number }[]): number => Math.max(0, ...of.map(({ ms }) => ms));
  const none = new Set(started.map(({ id }) => id)).size === started.length;
  const name = `${atOnce} at once on a pool of ${poolSize}, with room for ${poolSize + nextRungs}`;
  return [
    measurement(
      {
        name: `${name}: ${claimed.length} claimed, until the last`,
        unit: 'ms',
        value: slowest(claimed),
        floor: floor.resumed,
        aim: `no instance twice, all ${poolSize} claimed`,
      },
      () => none && claimed.length === poolSize,
    ),
    measurement(
      {
        name: `${name}: ${others.length} by the next rung, ${refused} refused, until the last`,
        unit: 'ms',
        value: slowest(asked),
        floor: floor.restored,
        aim: `${nextRungs} by the next rung`,
      },
      () => others.length === nextRungs && refused === atOnce - poolSize - nextRungs,
    ),
  ];
}

interface Asked {
  /** Undefined where it was not served. */
  readonly id?: string;
  /** Why it was not, other than for lack of room. */
  readonly fault?: string;
  readonly ms: number;
}

async function startOne(cloudlet: StartedCloudlet, deviceId: string): Promise<Asked> {
  const phone = new Phone(cloudlet.url, deviceId);
  let answer: Awaited<ReturnType<Phone['get']>> | undefined;
  const ms = await timed(async () => {
    answer = await phone.get(`/servicevm/start?serviceId=${serviceId}&join=false`);
  });
  const { status, body } = answer!;
  if (status === 200) return { id: (JSON.parse(body) as { _id: string })._id, ms };
  return /memory/i.test(body) ? { ms } : { ms, fault: body.replace(/\s+/g, ' ') };
}

/** What the machine takes for as many guests at once: eight that are resumed, and eight that are restored. */
async function benchManyGuests(makeGuest: MakeGuest): Promise<{ resumed: number; restored: number }> {
  const guests = await Promise.all(Array.from({ length: poolSize + nextRungs }, makeGuest));
  const [paused, unstarted] = [guests.slice(0, poolSize), guests.slice(poolSize)];
  for (const guest of paused) {
    await guest.start();
    await guest.pause();
  }
  const slowest = async (times: readonly Promise<number>[]) => Math.max(...(await Promise.all(times)));
  const [resumed, restored] = await Promise.all([
    slowest(paused.map((guest) => guest.resume())),
    slowest(unstarted.map((guest) => guest.start())),
  ]);
  await Promise.all(guests.map((guest) => guest.remove()));
  return { resumed, restored };
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

const stop = (cloudlet: StartedCloudlet, id: string) =>
  cloudlet.admin.request('POST', `/v1/service-vms/${id}/stop`, undefined, { prefer: 'wait=60' });
