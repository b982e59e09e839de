/** What operations may leave behind once none is under way: nothing that belongs to nobody. */
import { readdir } from 'node:fs/promises';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { expect } from 'vitest';
import { hostPaths } from '../../activities/images/host-paths.ts';
import { listHosts } from '../../activities/store/hosts.ts';
import { reconcileHostScheduleId } from '../../workflows/contract/ids.ts';
import { eventually } from './eventually.ts';
import type { TestCloudlet } from './test-cloudlet.ts';

type Swept = Pick<TestCloudlet, 'store' | 'parts' | 'temporal' | 'held'>;

/** Waits until nothing is left; what only a reconciliation removes, one removes. */
export async function expectNothingLeft(cloudlet: Swept): Promise<void> {
  await eventually(async () => expect(await unfinished(cloudlet)).toEqual([]), 60_000);
  const [host] = await listHosts(cloudlet.store);
  const schedule = cloudlet.temporal.schedule.getHandle(reconcileHostScheduleId(host!.id));
  // One that is just at work may have looked too early.
  for (let tries = 1; ; tries += 1) {
    await schedule.trigger(ScheduleOverlapPolicy.SKIP);
    try {
      await eventually(async () => expect(await unreferenced(cloudlet)).toEqual([]), 5_000);
      return;
    } catch (error) {
      if (tries === 4) throw error;
    }
  }
}

/** What must be gone when the last operation has ended. */
async function unfinished({ store, parts, held }: Swept): Promise<string[]> {
  const rows = await store.fork().execute<{ what: string }[]>(
    `select 'a running operation: ' || kind as what from operations where state = 'running'
     union all select 'a Service VM that is ' || state from service_vms where state not in ('stopped', 'failed')
     union all select 'an upload that operation ' || operation_id || ' holds' from uploads where operation_id is not null
     union all select 'a service without an image: ' || service_id from services where image_id is null
     union all select 'an image of ' || s.service_id || ' that was never published' from service_images i join services s on s.id = i.service_id
       where i.number > (select number from service_images where id = s.image_id)`,
  );
  const paths = hostPaths(parts.dataDir.root);
  return [
    ...(await held()),
    ...rows.map(({ what }) => what),
    ...(await strays(store, paths.uploads, 'select id::text as name from uploads')),
    ...(await strays(store, paths.exports, `select id || '.csvm' as name from bundles`)),
    ...(await strays(store, paths.apps, 'select installed_by::text as name from apps')),
  ];
}

/** Images that were made for nothing: they may be wanted again for a minute. */
const unreferenced = ({ store, parts }: Swept): Promise<string[]> =>
  strays(
    store,
    hostPaths(parts.dataDir.root).images,
    `with recursive used(id) as (
       select unnest(array[disk_id, saved_disk_id, memory_id]) from service_images
       union select i.backing_id from images i join used on used.id = i.id where i.backing_id is not null
     )
     select sha256 as name from images where id in (select id from used where id is not null)`,
  );

/** Names in a folder and among the rows that are not in both. */
async function strays(store: TestCloudlet['store'], folder: string, sql: string): Promise<string[]> {
  const rows = new Set((await store.fork().execute<{ name: string }[]>(sql)).map(({ name }) => name));
  const files = new Set(await readdir(folder).catch(() => []));
  return [
    ...[...files].filter((name) => !rows.has(name)).map((name) => `a file of nobody: ${folder}/${name}`),
    ...[...rows].filter((name) => !files.has(name)).map((name) => `a file that is missing: ${folder}/${name}`),
  ];
}
