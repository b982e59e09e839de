import type { Killable } from '../support/test-cloudlet.ts';

/** One kill: what dies, and when. */
export interface Fault {
  readonly victim: Killable;
  readonly during: 'start' | 'stop';
  /** How much of a usual start or stop has passed, 0 to 1. */
  readonly moment: number;
}

const victims: readonly Killable[] = ['worker', 'api', 'libvirtd', 'postgres', 'temporal'];
const moments: readonly Pick<Fault, 'during' | 'moment'>[] = [
  ...[0.02, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9].map((moment) => ({ during: 'start', moment }) as const),
  ...[0.1, 0.4, 0.8].map((moment) => ({ during: 'stop', moment }) as const),
];

/** Everything that can die, at every moment. */
export const faultMatrix: readonly Fault[] = victims.flatMap((victim) => moments.map((when) => ({ victim, ...when })));

/** One moment for each victim, chosen by a seed: another seed, another sample. */
export function sampleOf(seed: number): readonly Fault[] {
  const random = generator(seed);
  return victims.map((victim) => ({ victim, ...moments[Math.floor(random() * moments.length)]! }));
}

/** mulberry32: small, and the same everywhere. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const faultTitle = ({ victim, during, moment }: Fault): string => `${victim} at ${Math.round(moment * 100)} % of a ${during}`;
