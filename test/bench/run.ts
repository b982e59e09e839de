/** `npm run bench`: prints every figure that we promise beside what the machine itself allows, and writes them down. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../../activities/store/store.ts';
import { formatTable, type Column } from '../../temporal/cli/table.ts';
import { addEchoService } from '../support/echo-service.ts';
import { StartedCloudlet } from '../support/started-cloudlet.ts';
import { benchBundles } from './bench-bundles.ts';
import { benchHttp } from './bench-http.ts';
import { benchIdleMemory, benchSecondStart } from './bench-node.ts';
import { benchPool } from './bench-pool.ts';
import { benchStarts } from './bench-starts.ts';
import type { Measurement } from './measurement.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const cell = (value: number | null): string => (value === null ? '' : String(value));

const columns: readonly Column<Measurement>[] = [
  ['figure', ({ name }) => name],
  ['value', ({ value, unit }) => `${value} ${unit}`],
  ['floor', ({ floor }) => cell(floor)],
  ['ratio', ({ ratio }) => cell(ratio)],
  ['aim', ({ aim }) => aim],
  ['', ({ met }) => (met ? '✓' : '✗ missed')],
];

const cloudlet = await StartedCloudlet.create();
const results: Measurement[] = [];
try {
  say('Bringing a cloudlet up …');
  await cloudlet.start();
  const second = await benchSecondStart(cloudlet);
  const databaseUrl = await cloudlet.databaseUrl();
  const store = await openStore({ databaseUrl, poolSize: 4 });
  try {
    await addEchoService(cloudlet.admin, cloudlet.config.importDir, { serviceId: 'bench.echo' });
    say('Measuring …');
    // First, while nothing has been asked of it: memory that has been used does not all come back.
    results.push(await benchIdleMemory(cloudlet));
    results.push(...(await benchHttp(cloudlet, databaseUrl)));
    results.push(...(await benchStarts(cloudlet, store)));
    results.push(...(await benchPool(cloudlet, store)));
    results.push(...(await benchBundles(cloudlet)));
    results.push(second);
  } finally {
    await store.close();
  }
} finally {
  await cloudlet.remove();
}

writeFileSync(join(import.meta.dirname, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
say(`\n${formatTable(results, columns, 'Nothing was measured.')}\n`);
const missed = results.filter(({ met }) => !met);
say(missed.length === 0 ? 'Every aim is met.' : `${missed.length} of ${results.length} aims are missed.`);
