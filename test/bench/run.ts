/**
 * Measures what we promise, beside what the machine itself allows, and writes it down.
 *
 *   npm run bench                   everything
 *   npm run bench -- pool recipe    those alone, and nothing is written down
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, type Store } from '../../activities/store/store.ts';
import { formatTable, type Column } from '../../temporal/cli/table.ts';
import { addEchoService } from '../support/echo-service.ts';
import { StartedCloudlet } from '../support/started-cloudlet.ts';
import { benchBundles } from './bench-bundles.ts';
import { benchHttp } from './bench-http.ts';
import { benchIdleMemory, benchSecondStart } from './bench-node.ts';
import { benchPool, poolMemoryMib } from './bench-pool.ts';
import { benchRecipe } from './bench-recipe.ts';
import { benchStarts } from './bench-starts.ts';
import type { Measurement } from './measurement.ts';

type Bench = (cloudlet: StartedCloudlet, store: Store) => Promise<readonly Measurement[]>;

/** Memory first, while nothing has been asked of it: what has been used does not all come back. */
const benches: Readonly<Record<string, Bench>> = {
  memory: async (cloudlet) => [await benchIdleMemory(cloudlet)],
  http: async (cloudlet) => benchHttp(cloudlet, await cloudlet.databaseUrl()),
  starts: benchStarts,
  pool: benchPool,
  recipe: benchRecipe,
  bundles: benchBundles,
};

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

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  say(`There is no such bench: ${unknown.join(', ')}. There are ${Object.keys(benches).join(', ')}.`);
  process.exit(1);
}
const all = asked.length === 0;

const cloudlet = await StartedCloudlet.create({ CLOUDLET_MEMORY_MIB: String(poolMemoryMib) });
const results: Measurement[] = [];
const record = (measured: readonly Measurement[]): void => {
  results.push(...measured);
  // At once, too: what follows may take minutes, or fail.
  for (const { name, value, unit, floor, ratio } of measured)
    say(`  ${name}: ${value} ${unit}${floor === null ? '' : ` (floor ${floor}, ratio ${ratio})`}`);
};
try {
  say('Bringing a cloudlet up …');
  await cloudlet.start();
  if (all) record([await benchSecondStart(cloudlet)]);
  const store = await openStore({ databaseUrl: await cloudlet.databaseUrl(), poolSize: 4 });
  try {
    await addEchoService(cloudlet.admin, cloudlet.config.importDir, { serviceId: 'bench.echo' });
    for (const [name, bench] of Object.entries(benches).filter(([each]) => all || asked.includes(each))) {
      say(`Measuring ${name} …`);
      try {
        record(await bench(cloudlet, store));
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

if (all) writeFileSync(join(import.meta.dirname, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
say(`\n${formatTable(results, columns, 'Nothing was measured.')}\n`);
const missed = results.filter(({ met }) => !met);
say(missed.length === 0 ? 'Every aim is met.' : `${missed.length} of ${results.length} aims are missed.`);
