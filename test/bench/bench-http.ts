import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Phone } from '../support/phone.ts';
import type { StartedCloudlet } from '../support/started-cloudlet.ts';
import { latencyOf, rateOf } from './http-load.ts';
import { measurement, median, timed, type Measurement } from './measurement.ts';

const loadSeconds = 4;
const requestsInTurn = 1_000;
const rounds = 3;
const joins = 200;

/** The body of `GET /v1/services`, made by the database alone. */
const bodySql = `
  select json_build_object('services', coalesce(json_agg(s.spec || jsonb_build_object(
    'imageVersion', i.number, 'startable', i.id is not null, 'startsBy', array['join', 'restore', 'cold-boot'], 'updatedAt', s.updated_at) order by s.service_id), '[]')) as body
  from services s left join service_images i on i.id = s.image_id`;

export async function benchHttp(cloudlet: StartedCloudlet, databaseUrl: string): Promise<Measurement[]> {
  const bare = fork(join(import.meta.dirname, 'bare-route.ts'), [databaseUrl, bodySql]);
  try {
    const [port] = (await once(bare, 'message')) as [number];
    const urls = { ours: `${cloudlet.url}/v1/services`, floor: `http://127.0.0.1:${port}/` };
    const sides = ['ours', 'floor'] as const;
    const latencies = { ours: [] as number[], floor: [] as number[] };
    const rates = { ours: [] as number[], floor: [] as number[] };
    for (const side of sides) await rateOf(urls[side], 1);
    // In turns, so that a slow moment of the machine meets both.
    for (let round = 0; round < rounds; round += 1) {
      for (const side of sides) latencies[side].push(await latencyOf(urls[side], requestsInTurn));
      for (const side of sides) rates[side].push(await rateOf(urls[side], loadSeconds));
    }
    return [
      measurement(
        {
          name: 'GET /v1/services, p50',
          unit: 'ms',
          value: median(latencies.ours),
          floor: median(latencies.floor),
          aim: 'at most 2 × a bare route with one SELECT',
        },
        (value, floor) => value <= 2 * floor,
      ),
      measurement(
        {
          name: 'GET /v1/services, rate',
          unit: 'requests/s',
          value: median(rates.ours),
          floor: median(rates.floor),
          aim: 'at least 1,000 requests/s',
        },
        (value) => value >= 1_000,
      ),
      await benchJoin(cloudlet),
    ];
  } finally {
    bare.kill();
  }
}

/** A phone that joins what runs already. */
async function benchJoin(cloudlet: StartedCloudlet): Promise<Measurement> {
  const first = new Phone(cloudlet.url, 'bench-first');
  const { _id } = await first.start('bench.echo');
  const times: number[] = [];
  const floors: number[] = [];
  for (let index = 0; index < joins; index += 1) {
    const phone = new Phone(cloudlet.url, `bench-${index}`);
    times.push(await timed(() => phone.start('bench.echo')));
    floors.push(await timed(() => phone.get('/../health/live')));
  }
  await cloudlet.admin.request('POST', `/v1/service-vms/${_id}/stop`, undefined, { prefer: 'wait=20' });
  return measurement(
    { name: 'join through /api, p50', unit: 'ms', value: median(times), floor: median(floors), aim: 'at most 15 ms' },
    (value) => value <= 15,
  );
}
