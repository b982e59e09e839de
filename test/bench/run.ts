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
const record = (measured: readonly Measurement[]): void => {
  results.push(...measured);
  // At once, too: what follows may take minutes, or fail.
  for (const { name, value, unit, floor } of measured) say(`  ${name}: ${value} ${unit}${floor === null ? '' : ` (floor ${floor})`}`);
};
try {
  say('Bringing a cloudlet up …');
  await cloudlet.start();
  const second = await benchSecondStart(cloudlet);
  const store = await openStore({ databaseUrl: await cloudlet.databaseUrl(), poolSize: 4 });
  // Memory first, while nothing has been asked of it: what has been used does not all come back.
  const benches: readonly (readonly [title: string, run: () => Promise<readonly Measurement[]>])[] = [
    ['memory', async () => [await benchIdleMemory(cloudlet), second]],
    ['HTTP', async () => benchHttp(cloudlet, await cloudlet.databaseUrl())],
    ['starts', () => benchStarts(cloudlet, store)],
    ['bundles', () => benchBundles(cloudlet)],
    ['the pool', () => benchPool(cloudlet, store)],
  ];
  try {
    await addEchoService(cloudlet.admin, cloudlet.config.importDir, { serviceId: 'bench.echo' });
    for (const [title, run] of benches) {
      say(`Measuring ${title} …`);
      try {
        record(await run());
      } catch (error) {
        process.exitCode = 1;
        say(`  could not be measured: ${(error as Error).message}`);
      }
    }
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
