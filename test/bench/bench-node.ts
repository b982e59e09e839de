import { setTimeout as sleep } from 'node:timers/promises';
import type { StartedCloudlet } from '../support/started-cloudlet.ts';
import { measurement, type Measurement } from './measurement.ts';

const idleMs = 15_000;

/** Memory of our own processes when nobody asks for anything; PostgreSQL and Temporal are not ours. */
export async function benchIdleMemory(cloudlet: StartedCloudlet): Promise<Measurement> {
  await sleep(idleMs);
  const sizes = await cloudlet.residentMib();
  const names = Object.entries(sizes).map(([name, mib]) => `${name} ${Math.round(mib)}`);
  const value = Object.values(sizes).reduce((sum, mib) => sum + mib, 0);
  return measurement(
    { name: `idle memory (${names.join(', ')})`, unit: 'MiB', value, floor: null, aim: 'under 600 MiB' },
    (total) => total < 600,
  );
}

export async function benchSecondStart(cloudlet: StartedCloudlet): Promise<Measurement> {
  await cloudlet.interrupt();
  const value = (await cloudlet.start()) / 1000;
  return measurement(
    { name: 'second npm start, to ready', unit: 's', value, floor: null, aim: 'at most 15 s' },
    (seconds) => seconds <= 15,
  );
}
