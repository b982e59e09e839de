import { seededRandom } from '../support/seeded-random.ts';
import type { Killable } from '../support/test-cloudlet.ts';

/** One kill: what dies, and when. */
export interface Fault {
  readonly victim: Killable;
  readonly during: 'start' | 'stop';
  /** How much of a usual start or stop has passed, 0 to 1. */
  readonly moment: number;
}

export const victims: readonly Killable[] = ['worker', 'api', 'libvirtd', 'postgres', 'temporal'];
const moments: readonly Pick<Fault, 'during' | 'moment'>[] = [
  ...[0.02, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9].map((moment) => ({ during: 'start', moment }) as const),
  ...[0.1, 0.4, 0.8].map((moment) => ({ during: 'stop', moment }) as const),
];

/** Everything that can die, at every moment. */
export const faultMatrix: readonly Fault[] = victims.flatMap((victim) => moments.map((when) => ({ victim, ...when })));

/** One moment for each victim, chosen by a seed: another seed, another sample. */
export function sampleOf(seed: number): readonly Fault[] {
  const random = seededRandom(seed);
  return victims.map((victim) => ({ victim, ...moments[Math.floor(random() * moments.length)]! }));
}

export const faultTitle = ({ victim, during, moment }: Fault): string => `${victim} at ${Math.round(moment * 100)} % of a ${during}`;
